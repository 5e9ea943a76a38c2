from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from nppac_priors.eager import Adam
from torch import nn

FITS = """
import sys
import numpy as np
from nppac_priors import ExactGPConfig, GaussianMLPConfig, SparseGPConfig

rng = np.random.default_rng(0)
data = rng.normal(size=(30, 2)), rng.uniform(-1, 1, size=(30, 1))
for config in (
    ExactGPConfig(steps=2),
    GaussianMLPConfig(hidden=(4,), steps=2),
    SparseGPConfig(inducing_points=4, steps=2),
):
    config.fit(*data, episode_lengths=[15, 15])
print("torch._dynamo" in sys.modules)
"""


def weights_after(kind: type[torch.optim.Optimizer]) -> list[torch.Tensor]:
    """Of two groups with their own rates, half of the way by an optimizer that was restored."""
    generator = torch.Generator().manual_seed(0)
    weights = [nn.Parameter(torch.randn(size, generator=generator)) for size in (4, 3)]
    groups = [{"params": weights[:1]}, {"params": weights[1:], "lr": 0.3}]
    first, second = kind(groups, lr=0.1), kind([{"params": weights[:1]}, {"params": weights[1:]}])
    for optimizer in (first, second):
        for _ in range(10):
            optimizer.zero_grad()
            (weights[0].square().sum() * weights[1].exp().sum()).backward()
            optimizer.step()
        second.load_state_dict(first.state_dict())
    return weights


def test_it_steps_as_pytorchs_own_does():
    for ours, theirs in zip(weights_after(Adam), weights_after(torch.optim.Adam), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.medium
def test_no_fit_loads_the_compiler():
    done = subprocess.run([sys.executable, "-c", FITS], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
