"""Studies of real runs, as processes: whole, and killed again and again."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from equal_runs import assert_equal_runs, run
from nppac_agents.running.lock import living_owner


@pytest.mark.slow
def test_a_killed_run_of_three_goes_on_and_equals_the_same_run_alone(
    write_study, command, monkeypatch
):
    file = write_study(seeds="0:3")
    folder, killed = Path("runs/study"), Path("runs/study/runs/line/seed0")
    with command("sweep", file) as sweep:
        while not list(killed.glob("checkpoints/*.safetensors")) and sweep.poll() is None:
            time.sleep(0.02)
        owner = living_owner(killed / "run.lock")
        assert owner is not None
        os.kill(owner.pid, signal.SIGKILL)
        out, err = sweep.communicate(timeout=1800)
    assert (sweep.returncode, err) == (0, "")
    assert "line/seed0: ended, but had gone on, so it goes on: ended by SIGKILL" in out
    assert "continuing at" in (folder / "logs/line/seed0.log").read_text()
    page = (folder / "comparison/comparison.html").read_text()
    assert "line (3 seeds)" in page
    assert len((folder / "comparison/runs.csv").read_text().splitlines()) == 4
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    argv = [folder / "experiments/line.json", "--seed", "0", "--output-dir", "alone", "--quiet"]
    assert run(command, *argv).returncode == 0
    assert_equal_runs(killed, Path("alone"))


@pytest.mark.slow
def test_a_run_of_a_study_equals_the_same_run_alone_and_shares_its_fit(
    write_study, command, monkeypatch
):
    """Two runs differ in the agent alone; a third process does one of them by itself."""
    done = run(command, "sweep", write_study(grid={"agent.alpha": [0.1, 0.4]}))
    assert (done.returncode, done.stderr) == (0, "")
    folder = Path("runs/study")
    fits = list((folder / "fits").glob("*.safetensors"))
    assert len(fits) == 1
    logs = [path.read_text() for path in (folder / "logs").rglob("*.log")]
    assert sum("prior: as fitted for another run" in log for log in logs) == 1
    assert sum("fit: " in log for log in logs) == 1
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    file = folder / "experiments/line/agent.alpha=0.4.json"
    alone = run(command, file, "--seed", "0", "--output-dir", "alone", "--quiet")
    assert alone.returncode == 0
    assert_equal_runs(folder / "runs/line/agent.alpha=0.4/seed0", Path("alone"))
    again = run(command, "sweep", "runs/study/study.json", "--output-dir", "runs/study")
    assert again.stdout.splitlines()[0] == "2 runs, 2 of them finished already"
    status = run(command, "status", folder).stdout
    assert "2 runs: 2 done" in status
    assert "120/120" in status


def workers() -> list[int]:
    owners = map(living_owner, Path("killed/runs").rglob("run.lock"))
    return [owner.pid for owner in owners if owner is not None]


def disturb(sweep: subprocess.Popen[str], rng: random.Random, asked: set[int]) -> None:
    """Kills, at a random moment, the sweep or a single worker; sometimes asks it to stop.

    It is asked once: nobody listens to a second SIGTERM after its last word.
    """
    deadline = time.monotonic() + rng.uniform(4, 40)
    while time.monotonic() < deadline and sweep.poll() is None:
        time.sleep(0.1)
    victims = workers()
    what = rng.choice(["worker", "parent", "all", "terminate"])
    with contextlib.suppress(ProcessLookupError):
        if what in ("worker", "all") and victims:
            for pid in victims if what == "all" else [rng.choice(victims)]:
                os.kill(pid, signal.SIGKILL)
        if what in ("parent", "all"):
            sweep.kill()
        if what == "terminate" and sweep.pid not in asked:
            asked.add(sweep.pid)
            sweep.terminate()


@pytest.mark.slow
def test_a_study_killed_again_and_again_equals_an_undisturbed_one(write_study, command):
    """Twelve runs, two priors shared by two agents each, three seeds."""
    rng = random.Random(int(os.environ.get("NPPAC_KILLS_SEED", "0")))
    grid = {"agent.alpha": [0.1, 0.4], "prior.hidden": [[8], [6]]}
    file = write_study(grid=grid, seeds="0:3", failures=50)
    whole = run(command, "sweep", file, "--output-dir", "whole")
    assert (whole.returncode, whole.stderr) == (0, "")
    kills, asked = 0, set()
    for _ in range(60):
        with command("sweep", file, "--output-dir", "killed") as sweep:
            while sweep.poll() is None and kills < 8:
                disturb(sweep, rng, asked)
                kills += 1
            out, err = sweep.communicate(timeout=1800)
        if sweep.returncode == 0:
            break
        assert sweep.returncode in (130, -signal.SIGKILL), (out, err)
    assert kills >= 5
    runs = sorted(path.parent.relative_to("whole") for path in Path("whole").rglob("summary.json"))
    assert len(runs) == 12
    for name in runs:
        assert_equal_runs("killed" / name, "whole" / name)
    assert len(list(Path("killed/fits").glob("*.safetensors"))) == 6


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on_and_ends_with_the_best(write_study, command):
    pytest.importorskip("optuna")
    space = {"agent.alpha": {"type": "log", "low": 0.01, "high": 1.0}}
    file = write_study(tuning={"space": space, "trials": 3, "seeds": [10], "pruning_after": 2})
    folder = Path("runs/study/tuning")
    with command("tune", file) as search:
        while not list(folder.rglob("checkpoints/*.safetensors")) and search.poll() is None:
            time.sleep(0.02)
        search.kill()
        search.communicate()
    stands = run(command, "status", "runs/study").stdout
    assert "line/trial=0/seed10 " in stands
    done = run(command, "tune", file)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "line: 3 trials, " in done.stdout
    records = json.loads((folder / "trials.json").read_text())["trials"]
    assert [record["trial"] for record in records] == [0, 1, 2]
    assert all(record["state"] in ("complete", "pruned") for record in records)
    best = max((r for r in records if r["state"] == "complete"), key=lambda r: r["value"])
    experiment = json.loads((folder / "best/line.json").read_text())
    assert experiment["agent"]["alpha"] == best["settings"]["agent.alpha"]
    line = f"best success_ever {best['value']:.2f}, trial "
    assert line in done.stdout
    assert run(command, "tune", file).stdout.count(line) == 1
