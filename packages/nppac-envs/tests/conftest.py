from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
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


STEPS, EPISODES = 40, 6


def _walks(seed: int = 0) -> dict[str, np.ndarray]:
    """Episodes that start anywhere and move slowly, with success and actions of both signs."""
    rng = np.random.default_rng(seed)
    starts = rng.uniform(-5, 5, (EPISODES, 1, 3))
    states = starts + np.cumsum(rng.normal(0, 0.05, (EPISODES, STEPS + 1, 3)), axis=1)
    return {
        "states": states[:, :-1].reshape(-1, 3),
        "actions": rng.uniform(-0.9, 0.9, (EPISODES * STEPS, 2)),
        "final_states": states[:, -1],
        "episode_lengths": np.full(EPISODES, STEPS),
        "successes": np.arange(EPISODES * STEPS) % STEPS == STEPS - 1,
    }


@pytest.fixture(scope="session")
def walks() -> Callable[..., dict[str, np.ndarray]]:
    """A sound set: 6 episodes of 40 steps, 3 state and 2 action dimensions."""
    return _walks


@pytest.fixture
def lab_arm(monkeypatch) -> Any:
    """The module `lab_arm` as an installed one."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "foreign"))
    yield importlib.import_module("lab_arm")
    sys.modules.pop("lab_arm", None)
    for name in ("LabArm-v0", "LabArmEndless-v0"):
        gymnasium.registry.pop(name, None)


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
