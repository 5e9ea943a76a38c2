"""Runs in this process, of experiments that take seconds."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run_directory import RunDirectory


def run_in(folder: Path, config: ExperimentConfig, report: bool, **options: Any) -> dict[str, Any]:
    """The summary of a run in a folder; its report takes longer to draw than the rest of it."""
    from nppac_agents.running.run import run_experiment

    run_dir = RunDirectory(folder)
    run_dir.checkpoints.mkdir(parents=True, exist_ok=True)
    console = PlainConsole(io.StringIO())
    with pytest.MonkeyPatch.context() as patch:
        if not report:
            patch.setattr("nppac_agents.running.run.write_report", lambda folder: folder)
        return run_experiment(config, run_dir=run_dir, console=console, **options)
