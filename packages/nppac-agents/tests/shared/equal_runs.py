"""That two runs are equal to the bit, but for their clocks; and runs of a study as processes."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from nppac_agents.metrics_file import read_metrics
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.lock import living_owner

TIMES = ("wall_seconds", "time_spent", "updates_per_second", "env_steps_per_second")


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return value


def timeless_events(path: Path) -> list[dict]:
    """What a run in a folder recorded, but how long it took."""
    return [without_times(event) for event in read_metrics(path / "metrics.jsonl")]


def timeless_summary(path: Path) -> dict:
    return without_times(json.loads((path / "summary.json").read_text()))


def last_checkpoint(path: Path) -> Checkpoint:
    return Checkpoint.load(checkpoints(path / "checkpoints")[-1])


def assert_equal_checkpoints(one: Path, other: Path) -> None:
    """The last ones of two runs: every tensor, and where they are."""
    left, right = last_checkpoint(one), last_checkpoint(other)
    assert without_times(left.position) == without_times(right.position)
    assert left.tensors.keys() == right.tensors.keys()
    for owner, tensors in left.tensors.items():
        assert tensors.keys() == right.tensors[owner].keys()
        for name, tensor in tensors.items():
            assert tensor.equal(right.tensors[owner][name]), (owner, name)


def assert_equal_runs(one: Path, other: Path) -> None:
    assert timeless_events(one) == timeless_events(other)
    assert timeless_summary(one) == timeless_summary(other)
    assert (one / "prior.safetensors").read_bytes() == (other / "prior.safetensors").read_bytes()
    assert_equal_checkpoints(one, other)


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
