"""The report of one run: one page that needs nothing but itself, and the plots as PNG beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from nppac_priors.atomic_files import write_bytes
from nppac_priors.drawing.panels import Panel, row_figure
from nppac_priors.drawing.rendering import figure_png, image_png

from nppac_agents.reporting.page import Panels, report_page
from nppac_agents.reporting.run_files import RunFiles
from nppac_agents.reporting.run_panels import (
    evaluation_panels,
    guard_panels,
    prior_panel,
    training_panels,
)

REPORT_FILE = "report.html"


def write_report(run_dir: str | Path) -> Path:
    """Write `report.html` and `plots/*.png` into a run directory, from its files alone.

    An unfinished run gets a report too, which says what is not there yet.

    Returns:
        The page.

    Raises:
        DataError: it is no run directory, or one of its files is damaged.
        OSError: it cannot be written.
    """
    run = RunFiles.read(run_dir)
    panels = Panels(
        measures=evaluation_panels(run),
        guard=guard_panels(run),
        training={phase: training_panels(run, phase) for phase in run.training_phases},
        prior=None if run.prior_std is None else prior_panel(run.prior_std),
    )
    _write_plots(run, panels)
    path = run.path / REPORT_FILE
    write_bytes(path, report_page(run, panels).encode("utf-8"))
    return path


def _write_plots(run: RunFiles, panels: Panels) -> None:
    plots: dict[str, Sequence[Panel]] = {
        "measures": panels.measures.panels,
        "guard": panels.guard.panels,
        **{f"training-{name}": phase.panels for name, phase in panels.training.items()},
        "prior_std": [] if panels.prior is None else [panels.prior],
    }
    for name, drawn in plots.items():
        if drawn:
            write_bytes(run.path / "plots" / f"{name}.png", figure_png(row_figure(drawn)))
    if run.frames is not None and len(run.frames.images):
        strip = np.concatenate(list(run.frames.images), axis=1)
        write_bytes(run.path / "plots" / "frames.png", image_png(strip))
