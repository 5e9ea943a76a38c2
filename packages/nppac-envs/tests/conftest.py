from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_envs import Demonstrations


def _arrays(lengths: tuple[int, ...] = (3, 1, 4), seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of a small set: 5 state and 2 action dimensions; row i of states starts with i."""
    rng = np.random.default_rng(seed)
    steps, episodes = sum(lengths), len(lengths)
    states = rng.normal(size=(steps, 5))
    states[:, 0] = np.arange(steps)
    return {
        "states": states.astype(np.float32),
        "actions": rng.uniform(-1, 1, (steps, 2)).astype(np.float32),
        "final_states": rng.normal(size=(episodes, 5)).astype(np.float32),
        "episode_lengths": np.array(lengths),
        "rewards": rng.normal(size=steps).astype(np.float32),
        "successes": rng.uniform(size=steps) > 0.5,
    }


@pytest.fixture(scope="session")
def make_arrays() -> Callable[..., dict[str, np.ndarray]]:
    return _arrays


@pytest.fixture
def demonstrations() -> Demonstrations:
    fields: dict[str, Any] = _arrays()
    return Demonstrations(**fields)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real demonstrations."""
    beside = Path(__file__).resolve().parent.joinpath(*[".."] * 4, "shared", "data")
    folder = Path(os.environ.get("NPPAC_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no demonstration data (set NPPAC_DATA)")
    return folder
