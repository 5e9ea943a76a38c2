"""The health report as files: `health.json`, `health.html`, and the pictures as PNG.

Several priors stand side by side: same states, one colour scale, one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nppac_priors.atomic_files import write_bytes, write_json
from nppac_priors.drawing.rendering import figure_png
from nppac_priors.errors import ConfigError
from nppac_priors.health.assessment import Examination, Health
from nppac_priors.health.moments import moments
from nppac_priors.health.page import Picture, health_page, training_page
from nppac_priors.health.pictures.distance import draw_distance
from nppac_priors.health.pictures.plane import draw_planes
from nppac_priors.health.pictures.reliability import draw_reliability
from nppac_priors.health.pictures.training import draw_training
from nppac_priors.health.pictures.trajectory import draw_trajectory
from nppac_priors.health.plane import make_plane, variance_on

if TYPE_CHECKING:
    import torch

    from nppac_priors.config import PriorConfig
    from nppac_priors.episodes import HeldOutSplit
    from nppac_priors.health.training import TrainingTrace
    from nppac_priors.prior import Prior

MOST_PRIORS = 7
"""As many as there are colours that tell apart."""


def write_report(
    priors: Mapping[str, Prior],
    split: HeldOutSplit,
    folder: str | Path,
    *,
    generator: torch.Generator,
    title: str = "Prior health",
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    visited: NDArray[np.float32] | None = None,
) -> dict[str, Health]:
    """Measure fitted priors, and write the report into a folder.

    Args:
        priors: Fitted to `split.fitted` or to all episodes, by label, in the order of the report;
            at most `MOST_PRIORS`.
        split: As `Episodes.hold_out` gives it.
        folder: Made where it is missing.
        generator: A CPU generator that draws the states off the data.
        title: Heading of the page, such as the name of the data.
        facts: By label, more to record about a prior, such as its `fit_seconds`.
        visited: (M, S) states that a prior's mean visits, as `read_visited` gives them.

    Returns:
        The numbers, by label.

    Raises:
        ConfigError: There are no priors, or too many.
        DataError: A prior does not fit the data, or was fitted to other episodes.
        NumericalError: A prior is not finite somewhere.
        OSError: The folder cannot be written.
    """
    if not 1 <= len(priors) <= MOST_PRIORS:
        raise ConfigError(f"a report takes 1 to {MOST_PRIORS} priors, got {len(priors)}")
    examination = Examination(split, generator=generator, visited=visited)
    healths = {label: examination.examine(prior) for label, prior in priors.items()}
    pictures = _pictures(priors, split, healths)
    record = {
        "format": "nppac-prior-health",
        "version": 1,
        "title": title,
        "data": _data(split),
        "priors": {
            label: _recorded(prior, healths[label], (facts or {}).get(label, {}))
            for label, prior in priors.items()
        },
    }
    _write(Path(folder), record, healths, pictures)
    return healths


def write_training(
    traces: Mapping[str, TrainingTrace],
    configs: Mapping[str, PriorConfig],
    folder: str | Path,
    *,
    title: str = "Training",
) -> Path:
    """Write `training.html`, `training.png`, and `training.json` with what they are drawn from.

    Args:
        traces: By label, as `trace_training` gives them.
        configs: Of the priors, by label.
        folder: Made where it is missing.
        title: Name of the data.

    Returns:
        The page.

    Raises:
        OSError: The folder cannot be written.
    """
    record = {
        "format": "nppac-prior-training",
        "version": 1,
        "title": title,
        "priors": {
            label: {"config": configs[label].model_dump(mode="json"), **asdict(trace)}
            for label, trace in traces.items()
        },
    }
    path = Path(folder) / "training.html"
    figure = draw_training(traces)
    write_json(path.with_suffix(".json"), record)
    write_bytes(path.with_suffix(".png"), figure_png(figure))
    write_bytes(path, training_page(record, figure).encode())
    return path


def _write(
    folder: Path, record: dict[str, Any], healths: dict[str, Health], pictures: dict[str, Picture]
) -> None:
    """The page last: where it is, everything is."""
    for picture in pictures.values():
        write_bytes(folder / f"{picture.key}.png", figure_png(picture.figure))
    write_json(folder / "health.json", record)
    write_bytes(folder / "health.html", health_page(record, healths, pictures).encode())


def _pictures(
    priors: Mapping[str, Prior], split: HeldOutSplit, healths: Mapping[str, Health]
) -> dict[str, Picture]:
    plane = make_plane(split.fitted.states, split.fitted.episode_lengths)
    variances = {label: variance_on(plane, prior) for label, prior in priors.items()}
    away = {label: health.off_data for label, health in healths.items()}
    held_out = {label: health.held_out for label, health in healths.items()}
    episode = split.held_out.take(np.array([0]))
    predictions = {label: _prediction(prior, episode.states) for label, prior in priors.items()}
    actions = episode.actions.astype(float)
    pictures = [
        Picture(
            "variance_plane",
            "Variance over the plane of the demonstrations",
            draw_planes(plane, variances),
            {label: draw_planes(plane, variances, [label]) for label in priors},
        ),
        Picture("std_by_distance", "Away from the data", draw_distance(away)),
        Picture("reliability", "Calibration", draw_reliability(held_out)),
        Picture(
            "trajectory",
            "Along one held-out episode",
            draw_trajectory(actions, predictions),
            {label: draw_trajectory(actions, predictions, [label]) for label in priors},
        ),
    ]
    return {picture.key: picture for picture in pictures}


def _prediction(prior: Prior, states: Any) -> tuple[Any, Any]:
    mean, std = moments(prior, states)
    return mean.double().numpy(), std.double().numpy()


def _recorded(prior: Prior, health: Health, facts: Mapping[str, Any]) -> dict[str, Any]:
    config = prior.config.model_dump(mode="json")
    return {"config": config, "data_hash": prior.data_hash, **facts, **asdict(health)}


def _data(split: HeldOutSplit) -> dict[str, Any]:
    fitted, held_out = split.fitted, split.held_out
    return {
        "state_dim": fitted.states.shape[1],
        "action_dim": fitted.actions.shape[1],
        "fitted_episodes": len(fitted.episode_lengths),
        "fitted_steps": len(fitted),
        "fitted_hash": fitted.data_hash,
        "held_out_episodes": list(split.held_out_indices),
        "held_out_steps": len(held_out),
    }
