"""Fixtures: the real demonstrations with their published GPs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from nppac_priors.gp.config import KernelName
from torch import Tensor


@dataclass(frozen=True)
class Published:
    """A published GP and the demonstrations that it was fitted to."""

    kernel: KernelName
    path: Path
    states: Tensor
    actions: Tensor


@pytest.fixture(scope="session", params=["door", "pen"])
def published(request: pytest.FixtureRequest, real_data: Path) -> Published:
    h5py = pytest.importorskip("h5py")
    kernel: KernelName = {"door": "matern12", "pen": "matern52"}[request.param]
    with h5py.File(real_data / f"minari/{request.param}/human-v0/data/main_data.hdf5") as file:
        episodes = [file[f"episode_{i}"] for i in range(len(file))]
        actions = [torch.as_tensor(e["actions"][:]) for e in episodes]
        states = [torch.as_tensor(e["observations"][: len(e["actions"])]) for e in episodes]
    path = real_data / f"reference-gps/{request.param}_{kernel}.pt"
    return Published(kernel, path, torch.cat(states).float(), torch.cat(actions).float())
