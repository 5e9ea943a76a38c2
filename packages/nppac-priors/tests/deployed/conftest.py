"""A residual policy on a small Gaussian process, as an export writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nppac_priors import ExactGPConfig
from nppac_priors.deployed.alarm import Alarm
from nppac_priors.deployed.files import save_policy
from nppac_priors.deployed.spec import ActorSpec

LENGTHS = [12] * 5


@pytest.fixture(scope="session")
def demonstrated() -> tuple[np.ndarray, np.ndarray]:
    """States (60, 3) of five episodes, and actions (60, 2)."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(60, 3)).astype(np.float32)
    return states, np.tanh(states[:, :2] + 0.1 * rng.normal(size=(60, 2))).astype(np.float32)


@pytest.fixture(scope="session")
def gp(demonstrated):
    """A prior of these."""
    return ExactGPConfig(kernel="matern52", steps=20).fit(
        *demonstrated, episode_lengths=np.array(LENGTHS)
    )


@pytest.fixture(scope="session")
def fields() -> dict[str, Any]:
    """Residual, of one hidden layer; the environment's units are not [-1, 1]."""
    actor = ActorSpec(
        form="residual", layers=2, activation="relu", standardised=True, log_range=(-5.0, 2.0)
    )
    bounds = {"action_low": (-2.1, 0.0), "action_high": (2.1, 0.3)}
    return {"state_dim": 3, "action_dim": 2, "actor": actor, **bounds}


@pytest.fixture(scope="session")
def tensors() -> dict[str, torch.Tensor]:
    """Of its network."""
    draw = torch.Generator().manual_seed(0)
    sizes = {"weight_0": (8, 3), "bias_0": (8,), "weight_1": (4, 8), "bias_1": (4,), "shift": (3,)}
    drawn = {k: 0.5 * torch.randn(v, generator=draw) for k, v in sizes.items()}
    return drawn | {"scale": torch.full((3,), 2.0)}


@pytest.fixture
def folder(tmp_path, fields, tensors, gp, demonstrated) -> Path:
    """Where it was written, with its alarm."""
    std = gp.left_out_std(*demonstrated, np.array(LENGTHS))
    alarm = Alarm.of(std, torch.tensor(LENGTHS))
    save_policy(tmp_path / "policy", fields, tensors, gp, alarm)
    return tmp_path / "policy"
