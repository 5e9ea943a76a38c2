"""The page of one run: what its template needs beyond the files themselves."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nppac_priors.drawing.pages import render
from nppac_priors.drawing.panels import Panel
from nppac_priors.drawing.rendering import image_png

from nppac_agents.reporting.drawn import Drawn
from nppac_agents.reporting.durations import duration
from nppac_agents.reporting.frames import Frames
from nppac_agents.reporting.gauges import GAUGES
from nppac_agents.reporting.intervals import difference_interval, event_interval
from nppac_agents.reporting.measures import Measure, headline, told
from nppac_agents.reporting.run_files import Logged, RunFiles
from nppac_agents.reporting.statistics import Interval

_PHASES = {
    "pretrain": "Pre-training, before any interaction",
    "offline": "Offline, without interaction",
    "warm-up": "Warm-up of the critics, while the policy stays",
    "online": "Online, with interaction",
}


@dataclass(frozen=True)
class Panels:
    """The pictures of a report."""

    measures: Drawn
    guard: Drawn
    training: dict[str, Drawn]
    prior: Panel | None


@dataclass(frozen=True)
class Change:
    """One measure before and after learning.

    Attributes:
        measure: which.
        before: the event of the first evaluation.
        after: of the last.
    """

    measure: Measure
    before: Logged
    after: Logged

    @property
    def gained(self) -> float:
        """How far it rose; negative where it fell."""
        field = self.measure.field
        return self.after.event[field] - self.before.event[field]

    @property
    def word(self) -> str:
        """`better`, `worse` or `same`; a gain that so few episodes do not show is none."""
        if self.gained < 0:
            return "worse"
        return "better" if self.interval.low > 0 else "same"

    @property
    def interval(self) -> Interval:
        """95 % interval of the gain, over the episodes of both evaluations."""
        field = self.measure.field
        return difference_interval(
            *((e.event[field], event_interval(e.event, field)) for e in (self.before, self.after))
        )


def title(run: RunFiles) -> str:
    """`door · nppac · seed 0`, as plain text."""
    parts = [run.setting("env", "id") or run.setting("env", "kind"), run.setting("agent", "kind")]
    named = [str(part) for part in parts if part is not None] or [run.path.name]
    return " · ".join(named if run.seed is None else [*named, f"seed {run.seed}"])


def report_page(run: RunFiles, panels: Panels) -> str:
    """The whole page as HTML; each part says so where its files are not there."""
    evaluations = run.evaluations
    rest = dict(run.environment)
    packages, plugins = rest.pop("packages", None), rest.pop("plugins", None)
    git, demonstrations = rest.pop("git", None) or {}, rest.pop("demonstrations_hash", None)
    summary = run.summary or {}
    hashes = {"demonstrations_hash": demonstrations, "config_hash": summary.get("config_hash")}
    return render(
        "nppac_agents.reporting",
        "report.html",
        title=title(run),
        run=run,
        evaluations=evaluations,
        changes=_changes(evaluations),
        best=summary.get("best"),
        measures=told(logged.event for logged in evaluations),
        panels=panels,
        phases=_PHASES,
        beyond=[(g, top) for g in GAUGES if (top := _highest(run, g.field)) > g.highest],
        frames=[] if run.frames is None else _frames(run.frames),
        solved=_first_success(run.frames),
        duration=duration,
        event_interval=event_interval,
        packages=packages,
        plugins=plugins,
        hashes=hashes,
        machine={**rest, **git},
    )


def _changes(evaluations: Sequence[Logged]) -> list[Change]:
    """Of what the page begins with."""
    if not evaluations:
        return []
    first, last = evaluations[0], evaluations[-1]
    return [Change(measure, first, last) for measure in headline(first.event, last.event)]


def _highest(run: RunFiles, field: str) -> float:
    found = (logged.event.get(field) or 0.0 for logged in run.evaluations)
    return max(found, default=0.0)


def _frames(frames: Frames) -> list[dict[str, Any]]:
    """Each frame as the bytes of a PNG in base 64, its step, and whether that was a success."""
    pairs = zip(frames.images, frames.steps.tolist(), strict=True)
    return [
        {
            "png": base64.b64encode(image_png(image)).decode("ascii"),
            "step": step,
            "success": step > 0 and bool(frames.successes[step - 1]),
        }
        for image, step in pairs
    ]


def _first_success(frames: Frames | None) -> int | None:
    solved: Sequence[int] = () if frames is None else np.flatnonzero(frames.successes).tolist()
    return solved[0] + 1 if solved else None
