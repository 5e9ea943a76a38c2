"""The report of one run: one page that needs nothing but itself, and the plots as PNG beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from nppac_priors.atomic_files import write_bytes
from nppac_priors.drawing.html import page
from nppac_priors.drawing.panels import Panel, row_figure
from nppac_priors.drawing.rendering import figure_png, image_png

from nppac_agents.reporting import sections
from nppac_agents.reporting.run_files import RunFiles
from nppac_agents.reporting.run_panels import (
    evaluation_panels,
    guard_panels,
    prior_panel,
    training_panels,
)

REPORT_FILE = "report.html"
FOOTER = (
    "Made from the files in this run's directory. Every number of the headline and of the table of "
    "evaluations names its line and field in metrics.jsonl."
)


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
    measured = evaluation_panels(run) if run.evaluations else []
    guarded = guard_panels(run)
    trained = {phase: training_panels(run, phase) for phase in run.training_phases}
    prior = None if run.prior_std is None else prior_panel(run.prior_std)
    content = [
        sections.header(run),
        sections.reported(run),
        sections.measures(run, measured),
        sections.guard(run, guarded),
        sections.training(trained),
        sections.prior_std(run, prior),
        sections.episode(run),
        sections.evaluations(run),
        sections.provenance(run),
    ]
    _write_plots(
        run,
        {
            "measures": measured,
            "guard": guarded,
            **{f"training-{k}": v for k, v in trained.items()},
        },
    )
    if prior is not None:
        _write_plots(run, {"prior_std": [prior]})
    whole = page(sections.title(run), "\n".join(content), FOOTER)
    path = run.path / REPORT_FILE
    write_bytes(path, whole.encode("utf-8"))
    return path


def _write_plots(run: RunFiles, plots: dict[str, Sequence[Panel]]) -> None:
    for name, panels in plots.items():
        if panels:
            write_bytes(run.path / "plots" / f"{name}.png", figure_png(row_figure(panels)))
    if run.frames is not None and len(run.frames.images):
        strip = np.concatenate(list(run.frames.images), axis=1)
        write_bytes(run.path / "plots" / "frames.png", image_png(strip))
