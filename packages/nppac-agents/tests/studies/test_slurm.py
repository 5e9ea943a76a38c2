"""Jobs through submitit: what is asked of the cluster, and real ones by its local executor."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from equal_runs import assert_went_on_and_equals_an_undisturbed_study, owner_after_a_checkpoint
from nppac_agents.running.lock import living_owner
from nppac_agents.studies.executor import Task
from nppac_agents.studies.slurm import SlurmExecutor
from nppac_priors.errors import ConfigError

submitit = pytest.importorskip("submitit")


def test_without_slurm_or_submitit_it_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="there is no srun here"):
        SlurmExecutor().open().__enter__()
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ConfigError, match=r'pip install "nppac-agents\[slurm\]"'):
        SlurmExecutor(cluster="local").open().__enter__()


@pytest.mark.medium
def test_tasks_that_start_together_are_one_array_with_the_resources(tmp_path, monkeypatch):
    """Up to the script that would be given to sbatch, which is a stand-in here."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, text in (
        ("srun", ""),
        ("sacct", "echo 'JobID|State'"),
        ("scancel", f'echo "$@" >> {tmp_path}/cancelled'),
        ("sbatch", f'cat "$1" >> {tmp_path}/script\necho "Submitted batch job 7"'),
    ):
        (bin_folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (bin_folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    config = SlurmExecutor(
        threads=2, gpus=1, memory_gb=3, hours=1.5, partition="short", options={"qos": "low"},
        setup=("module load x",),
    )  # fmt: skip
    with config.open() as workers:
        assert workers.places == 100
        tasks = [
            Task(f"t{i}", [], tmp_path / f"t{i}.log", tmp_path / f"r{i}", tmp_path / "study")
            for i in range(3)
        ]
        jobs = [workers.start(task) for task in tasks]
        assert [job.poll() for job in jobs] == [None, None, None]
        script = (tmp_path / "script").read_text()
        (tmp_path / "t1.exit").write_text('{"exit_code": 1}')
        assert [job.poll() for job in jobs] == [None, 1, None]
        jobs[0].stop()
        assert (tmp_path / "t0.stop").exists()
        assert jobs[0].poll() is None
        jobs[0].stop()
        assert jobs[0].poll() == 130
    for line in ("array=0-2", "cpus-per-task=2", "gpus-per-node=1", "mem=3GB", "time=90",
                 "partition=short", "qos=low", "job-name=study", "signal=USR2@120"):  # fmt: skip
        assert f"#SBATCH --{line}" in script, line
    assert script.count("#SBATCH --array") == 1
    assert "module load x" in script
    assert "7_0" in (tmp_path / "cancelled").read_text()


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_jobs_that_are_preempted_and_killed_go_on_and_equal_undisturbed_ones(write_study, command):
    file = write_study(seeds="0:2")
    options = ["--executor", "slurm,cluster=local,at_a_time=2"]
    preempted, killed = (Path(f"runs/study/runs/line/seed{seed}") for seed in (0, 1))
    with command("sweep", file, *options) as sweep:
        os.kill(parent(owner_after_a_checkpoint(preempted, sweep)), signal.SIGUSR2)
        os.kill(owner_after_a_checkpoint(killed, sweep), signal.SIGKILL)
        out, err = sweep.communicate(timeout=1800)
    assert (sweep.returncode, err) == (0, ""), out
    assert "line/seed1: ended, but had gone on, so it goes on: ended by SIGKILL" in out
    assert "line/seed0: ended" not in out
    assert_went_on_and_equals_an_undisturbed_study(command, file, (0, 1))


@pytest.mark.slow
def test_ctrl_c_ends_jobs_with_a_checkpoint(write_study, command):
    file = write_study(seeds=[0])
    path = Path("runs/study/runs/line/seed0")
    with command("sweep", file, "--executor", "slurm,cluster=local") as sweep:
        owner_after_a_checkpoint(path, sweep)
        sweep.send_signal(signal.SIGINT)
        out, _ = sweep.communicate(timeout=600)
    assert sweep.returncode == 130, out
    assert living_owner(path / "run.lock") is None
    assert "interrupted after a checkpoint" in Path("runs/study/logs/line/seed0.log").read_text()
