"""The variance off the data while a prior trains, over several seeds (the paper's Figure 4).

A prior is fitted anew, from the same seed, with 1, 2, 4, ... steps: its config has to have a field
`steps`. Where a kind stops early on held-out episodes, so do these fits; switch that off to see
what goes on training does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from nppac_priors.errors import ConfigError
from nppac_priors.health.assessment import Examination, check_fits
from nppac_priors.health.moments import moments
from nppac_priors.health.off_data import is_off_data

if TYPE_CHECKING:
    from nppac_priors.config import PriorConfig
    from nppac_priors.progress import ProgressCallback


@dataclass(frozen=True)
class TrainingTrace:
    """What became of the variance; medians over states of the mean over action dimensions.

    Attributes:
        steps: Of the fits, ascending.
        seeds: Of the fits.
        off_data_variance: For each seed, at each number of steps, off the data.
        on_data_variance: The same on demonstration states.
    """

    steps: tuple[int, ...]
    seeds: tuple[int, ...]
    off_data_variance: tuple[tuple[float, ...], ...]
    on_data_variance: tuple[tuple[float, ...], ...]


def trace_training(
    config: PriorConfig,
    examination: Examination,
    *,
    seeds: Sequence[int] = range(5),
    device: str | torch.device = "cpu",
    progress: Callable[[int, int], ProgressCallback | None] = lambda seed, steps: None,
) -> TrainingTrace:
    """Fit a prior with ever more steps, and follow its variance.

    Args:
        config: Of the prior; its `steps` are the last fit's.
        examination: The episodes to fit, and the states to ask about.
        seeds: One curve each.
        device: Where the priors are fitted.
        progress: Makes the progress callback of a fit, given its seed and steps.

    Raises:
        ConfigError: The config has no field `steps`, or there is no seed.
        DataError: The episodes cannot be fitted.
        NumericalError: A fit became non-finite.
    """
    steps = checkpoints(config)
    if not seeds:
        raise ConfigError("training needs one seed or more")
    pairs = [
        [
            _fitted_variances(config, examination, seed, count, device, progress(seed, count))
            for count in steps
        ]
        for seed in seeds
    ]
    off = tuple(tuple(away for away, _ in row) for row in pairs)
    on = tuple(tuple(near for _, near in row) for row in pairs)
    return TrainingTrace(steps, tuple(seeds), off, on)


def checkpoints(config: PriorConfig) -> tuple[int, ...]:
    """1, 2, 4, ... steps, up to those of the config.

    Raises:
        ConfigError: It has no whole number `steps`.
    """
    last = getattr(config, "steps", None)
    if not isinstance(last, int):
        raise ConfigError(f"prior kind {config.kind!r} has no field steps to train it step by step")
    powers = [2**power for power in range(last.bit_length())]
    return (*(steps for steps in powers if steps < last), last)


def _fitted_variances(
    config: PriorConfig,
    examination: Examination,
    seed: int,
    steps: int,
    device: str | torch.device,
    progress: ProgressCallback | None,
) -> tuple[float, float]:
    """Median variances off the data and on it, after a fit of so many steps."""
    episodes, probes = examination.split.fitted, examination.probes
    prior = config.model_copy(update={"steps": steps}).fit(
        episodes.states,
        episodes.actions,
        episode_lengths=episodes.episode_lengths,
        device=device,
        generator=torch.Generator().manual_seed(seed),
        progress=progress,
    )
    _, std = moments(check_fits(prior, examination.split), probes.states)
    variance = std.double().square().mean(dim=1).numpy()
    off = is_off_data(probes, examination.off_data_from)
    medians = (torch.from_numpy(variance[mask]).quantile(0.5) for mask in (off, probes.on_data))
    away, near = (float(median) for median in medians)
    return away, near
