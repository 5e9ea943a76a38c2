"""A comparison as files: figure, numbers or page, by the file's suffix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nppac_priors.atomic_files import write_bytes
from nppac_priors.errors import ConfigError

from nppac_agents.reporting.comparison import (
    Axis,
    comparison_figure,
    require_measures,
    require_told,
    usual_measures,
)
from nppac_agents.reporting.comparison_data import comparison_csv, comparison_json
from nppac_agents.reporting.comparison_page import comparison_page
from nppac_agents.reporting.figure_files import FIGURES, save_figure
from nppac_agents.reporting.tasks import Task

SUFFIXES = (*FIGURES, ".html", ".csv", ".json")


def write_comparison(
    tasks: Sequence[Task],
    out: Path,
    measures: Sequence[str] | None = None,
    axis: Axis | None = None,
    notes: str = "",
) -> None:
    """Write one file of a comparison.

    Args:
        tasks: from `read_tasks`.
        out: a figure (PNG, SVG, PDF), the page (HTML), or the numbers (CSV, JSON).
        measures: fields of an evaluation; numbers are of the first. None for success at any step
            and at the end, or the return where no task tells success.
        axis: what counts the progress in curves.
        notes: what a reader of the page has to know.

    Raises:
        ConfigError: the suffix or a measure is unknown, or no run tells it, or returns are of
            different rewards.
        OSError: it cannot be written.
    """
    measures = measures or usual_measures(tasks)
    require_measures(measures)
    require_told(tasks, measures)
    suffix = out.suffix.lower()
    if suffix in FIGURES:
        save_figure(comparison_figure(tasks, measures, axis), out)
    elif suffix == ".html":
        write_bytes(out, comparison_page(tasks, measures, axis, notes).encode())
    elif suffix == ".csv":
        write_bytes(out, comparison_csv(tasks, measures[0]).encode())
    elif suffix == ".json":
        write_bytes(out, comparison_json(tasks, measures[0]).encode())
    else:
        raise ConfigError(f"{out}: a comparison's name has to end in one of {', '.join(SUFFIXES)}")
