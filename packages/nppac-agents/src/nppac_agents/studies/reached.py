"""What a run directory holds to go on from."""

from __future__ import annotations

from pathlib import Path

from nppac_agents.running.run_directory import RunDirectory


def is_finished(path: Path) -> bool:
    """Whether a run is done, its report included, which is the last thing that it writes."""
    run = RunDirectory(path)
    return (path / "summary.json").is_file() and run.report.is_file() and not run.lock.exists()


def reached(path: Path) -> tuple[bool, str, bool]:
    """What a run would go on from; greater once it has gone on."""
    run = RunDirectory(path)
    latest = max((file.name for file in run.checkpoints.glob("[!.]*.safetensors")), default="")
    return run.prior.exists(), latest, (path / "summary.json").exists()
