"""`plot`: a set at a glance: its states on two principal components, its actions over time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.operations import episode_successes
from nppac_envs.errors import ConfigError, DataError

_SUCCESS, _FAILURE, _UNKNOWN = "#1b7f5c", "#c8553d", "#3b6ea5"
_SUFFIXES = (".png", ".pdf", ".svg")


def principal_components(
    states: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The first two principal components of standardised states.

    Args:
        states: (N, S); dimensions that never change count for nothing.

    Returns:
        The states' coordinates (N, 2), their share of the variance (2,), and the S weights of each
        component (2, S) on the standardised dimensions.
    """
    centred = states.astype(np.float64) - states.mean(axis=0, dtype=np.float64)
    scales = centred.std(axis=0)
    scales[scales == 0.0] = 1.0
    standardised = centred / scales
    values, vectors = np.linalg.eigh(standardised.T @ standardised / len(states))
    weights = np.zeros((2, states.shape[1]))
    shares = np.zeros(2)
    count = min(2, states.shape[1])
    weights[:count] = vectors[:, ::-1].T[:count]
    shares[:count] = values[::-1][:count] / max(values.sum(), 1e-300)
    return standardised @ weights.T, shares, weights


def plot(demonstrations: Demonstrations, path: Path) -> None:
    """Draw the set into a file.

    Raises:
        ConfigError: The suffix is another, or Matplotlib is not installed.
        DataError: The file cannot be written.
    """
    if path.suffix not in _SUFFIXES:
        raise ConfigError(f"{path}: a plot must end in {', '.join(_SUFFIXES)}")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError('plots need Matplotlib: pip install "nppac-envs[plots]"') from error
    figure = Figure(figsize=(11.0, 5.2), layout="constrained")
    subfigures: Any = figure.subfigures(1, 2, width_ratios=(1.0, 1.15))
    left, right = subfigures
    _draw_states(left.subplots(), demonstrations)
    _draw_actions(right, demonstrations)
    figure.suptitle(
        f"{demonstrations.source}: {demonstrations.n_episodes} episodes, "
        f"{len(demonstrations):,} steps"
    )
    try:
        with tempfile.TemporaryDirectory(prefix=".plot-", dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            figure.savefig(temporary, dpi=140)
            os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


def _slices(demonstrations: Demonstrations) -> list[slice]:
    ends = np.cumsum(demonstrations.episode_lengths)
    starts = ends - demonstrations.episode_lengths
    return [slice(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _draw_states(axes: Any, demonstrations: Demonstrations) -> None:
    """One line an episode from its start (circle) to its end (cross)."""
    places, shares, _ = principal_components(demonstrations.states)
    ever = episode_successes(demonstrations)
    named: set[str] = set()
    alpha = float(np.clip(5000 / len(demonstrations), 0.15, 0.65))
    for episode, steps in enumerate(_slices(demonstrations)):
        name, color = "episodes", _UNKNOWN
        if ever is not None:
            name, color = ("success", _SUCCESS) if ever[episode] else ("failure", _FAILURE)
        label = None if name in named else name
        named.add(name)
        line = places[steps]
        axes.plot(line[:, 0], line[:, 1], color=color, lw=0.8, alpha=alpha, label=label)
        axes.plot(*line[0], "o", color=color, ms=4)
        axes.plot(*line[-1], "x", color=color, ms=5)
    axes.set_title("states: circle is the start, cross the end", fontsize=10)
    axes.set_xlabel(f"first principal component ({shares[0]:.0%} of the variance)")
    axes.set_ylabel(f"second ({shares[1]:.0%})")
    for handle in axes.legend(frameon=False, fontsize=9).legend_handles:
        handle.set_alpha(1.0)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_actions(figure: Any, demonstrations: Demonstrations) -> None:
    """Above the median and the middle half of all entries, below every dimension's mean."""
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.0, 1.6))
    longest = int(demonstrations.episode_lengths.max())
    padded = np.full((demonstrations.n_episodes, longest, demonstrations.action_dim), np.nan)
    for episode, steps in enumerate(_slices(demonstrations)):
        actions = demonstrations.actions[steps]
        padded[episode, : len(actions)] = actions
    time = np.arange(longest)
    flat = padded.transpose(1, 0, 2).reshape(longest, -1)
    low, middle, high = np.nanquantile(flat, (0.25, 0.5, 0.75), axis=1)
    above.fill_between(time, low, high, color=_UNKNOWN, alpha=0.25, lw=0, label="middle half")
    above.plot(time, middle, color=_UNKNOWN, label="median")
    bounds = (np.abs(flat) >= 0.999).sum(axis=1) / np.isfinite(flat).sum(axis=1)
    above.plot(time, bounds, color=_FAILURE, lw=1, label="share at -1 or 1")
    above.set_ylim(-1.05, 1.5)
    above.set_title("actions: all entries", fontsize=10)
    above.legend(frameon=False, fontsize=8, ncols=3, loc="upper right")
    above.spines[["top", "right"]].set_visible(False)
    means = np.nanmean(padded, axis=0)
    image = below.imshow(
        means.T, aspect="auto", cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest"
    )
    below.set_title("mean over episodes of every action dimension", fontsize=10)
    below.set_xlabel("step")
    below.set_ylabel("action dimension")
    figure.colorbar(image, ax=below, pad=0.01)
