"""Runs on a real Ray cluster of two nodes in one machine, of which one is lost in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from equal_runs import (
    assert_went_on_and_equals_an_undisturbed_study,
    owner_after_a_checkpoint,
    run,
)
from nppac_agents.running.lock import living_owner
from nppac_agents.studies.executor import ExecutorError
from nppac_agents.studies.on_ray import RayExecutor
from nppac_priors.errors import ConfigError

pytest.importorskip("ray")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r'pip install "nppac-agents\[ray\]"'):
        RayExecutor().open().__enter__()


@pytest.fixture
def cluster(line_plugin, monkeypatch):
    """A head without cores and two nodes with one each, whose workers know the environment."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    options = {"include_dashboard": False, "object_store_memory": 80 * 2**20}
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **options})
    found.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    yield found
    found.shutdown()


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    with contextlib.suppress(OSError):
        found = list(map(int, children.read_text().split()))
        return found + [below for child in found for below in descendants(child)]
    return []


def lose(cluster, node, pids: list[int]) -> None:
    """A node with all that runs on it, as when its machine is switched off."""
    cluster.remove_node(node, allow_graceful=False)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_lost_node_and_a_killed_worker_change_no_number(write_study, command, cluster):
    second = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    longer = {"training.env_steps": 1000, "evaluation.every": 500, "logging.checkpoint_every": 50}
    file = write_study(seeds="0:2", set=longer)
    paths = [Path(f"runs/study/runs/line/seed{seed}") for seed in (0, 1)]
    options = ["--executor", f"ray,address={cluster.address}"]
    raylet = next(p.process.pid for p in second.all_processes["raylet"])
    with command("sweep", file, *options) as sweep:
        owners = [owner_after_a_checkpoint(path, sweep) for path in paths]
        below = descendants(raylet)
        there, elsewhere = (pid in below for pid in owners)
        assert there != elsewhere, "one run on each node"
        os.kill(owners[there], signal.SIGKILL)  # the process of the run that stays
        lose(cluster, second, below)
        out, err = sweep.communicate(timeout=1800)
    assert (sweep.returncode, err) == (0, ""), out
    assert "2 runs, 0 of them finished already" in out
    assert_went_on_and_equals_an_undisturbed_study(command, file, (0, 1))


@pytest.mark.slow
def test_a_cluster_of_its_own_runs_a_study_and_ends_with_ctrl_c(write_study, command):
    file = write_study(seeds=[0])
    path = Path("runs/study/runs/line/seed0")
    with command("sweep", file, "--executor", "ray") as sweep:
        owner_after_a_checkpoint(path, sweep)
        sweep.send_signal(signal.SIGINT)
        out, err = sweep.communicate(timeout=600)
    assert sweep.returncode == 130, (out, err)
    assert living_owner(path / "run.lock") is None
    again = run(command, "sweep", file, "--executor", "ray")
    assert (again.returncode, again.stderr) == (0, "")


def test_an_address_of_nothing_is_told_in_one_line_and_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ExecutorError, match=f"^executor ray: no cluster at {address}: ") as caught:
        RayExecutor(address=address).open().__enter__()
    assert "\n" not in str(caught.value)
