"""Demonstrations without a simulator, and the peak memory of this process, for the benchmarks."""

from __future__ import annotations

import resource
import sys

import numpy as np
from numpy.typing import NDArray

FEATURES = 64
LATENT = 4
NOISE_STD = 0.1


def smooth_demonstrations(
    rows: int, state_dim: int = 17, action_dim: int = 6, *, seed: int = 0, part: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """States near a curved four-dimensional surface, actions smooth in them plus noise of std 0.1.

    As in demonstrations, the states fill few of their dimensions. Actions lie in [-1, 1].

    Args:
        rows: N.
        state_dim: S; 17 and 6 actions are HalfCheetah's.
        action_dim: A.
        seed: Decides the function.
        part: Decides the states; parts of one seed continue each other.
    """
    function = np.random.default_rng(seed)
    embedding = function.standard_normal((LATENT, state_dim)) / np.sqrt(LATENT)
    frequencies = function.standard_normal((state_dim, FEATURES)) * 0.5 / np.sqrt(state_dim)
    phases = function.uniform(0.0, 2.0 * np.pi, FEATURES)
    amplitudes = function.standard_normal((FEATURES, action_dim)) * 0.5 / np.sqrt(FEATURES / 2)
    draws = np.random.default_rng((seed, part))
    states = np.tanh(draws.standard_normal((rows, LATENT)) @ embedding)
    states += 0.02 * draws.standard_normal(states.shape)
    actions = np.sin(2.0 * states @ frequencies + phases) @ amplitudes
    actions += NOISE_STD * draws.standard_normal(actions.shape)
    return states.astype(np.float32), actions.clip(-1.0, 1.0).astype(np.float32)


def peak_gib() -> float:
    """Largest resident memory of this process so far, in GiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20
