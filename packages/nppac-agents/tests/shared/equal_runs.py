"""Runs of a study as processes, and that two of them are equal to the bit."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.lock import living_owner

TIMES = ("wall_seconds", "updates_per_second", "env_steps_per_second")


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return value


def measured(path: Path) -> list:
    """All metrics and the summary of a run, but how long it took."""
    lines = (path / "metrics.jsonl").read_text().splitlines()
    lines.append((path / "summary.json").read_text())
    return [without_times(json.loads(line)) for line in lines]


def learned(path: Path) -> dict:
    """The tensors of a run's last checkpoint."""
    return Checkpoint.load(checkpoints(path / "checkpoints")[-1]).tensors


def assert_equal_runs(one: Path, other: Path) -> None:
    assert measured(one) == measured(other)
    assert (one / "prior.safetensors").read_bytes() == (other / "prior.safetensors").read_bytes()
    ours, theirs = learned(one), learned(other)
    for owner, tensors in ours.items():
        assert tensors.keys() == theirs[owner].keys()
        for name, tensor in tensors.items():
            assert tensor.equal(theirs[owner][name]), (owner, name)


def assert_went_on_and_equals_an_undisturbed_study(command, file: Path, seeds) -> None:
    """Each run of `runs/study` was continued, and is what a sweep without any harm makes of it."""
    whole = run(command, "sweep", file, "--output-dir", "whole")
    assert (whole.returncode, whole.stderr) == (0, "")
    for seed in seeds:
        assert "continuing at" in Path(f"runs/study/logs/line/seed{seed}.log").read_text()
        assert_equal_runs(
            *(Path(f"{study}/runs/line/seed{seed}") for study in ("runs/study", "whole"))
        )


def run(command, *argv) -> subprocess.CompletedProcess[str]:
    process = command(*argv)
    out, err = process.communicate(timeout=1800)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def owner_after_a_checkpoint(path: Path, sweep: subprocess.Popen[str]) -> int:
    """The process that runs a run, in the middle of it; the sweep has to go on meanwhile."""
    while not list(path.glob("checkpoints/*.safetensors")):
        assert sweep.poll() is None, sweep.communicate()
        time.sleep(0.02)
    owner = living_owner(path / "run.lock")
    assert owner is not None, "it is done already"
    return owner.pid
