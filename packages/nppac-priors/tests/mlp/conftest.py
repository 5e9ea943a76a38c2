"""Fixtures: stacked networks, and a batch for them."""

from __future__ import annotations

import pytest
import torch
from nppac_priors.mlp.networks import StackedNetworks
from nppac_priors.mlp.training_set import Batch


@pytest.fixture
def networks() -> StackedNetworks:
    """Three networks from 4 states to 2 actions."""
    return StackedNetworks.draw(3, (4, 8, 5, 4), torch.Generator().manual_seed(1))


@pytest.fixture
def batch() -> Batch:
    """Ten states of weight 1, the same for all networks."""
    generator = torch.Generator().manual_seed(2)
    states = torch.randn(10, 4, generator=generator)
    actions = 2.0 * torch.rand(10, 2, generator=generator) - 1.0
    return Batch(states, actions, torch.ones(10))
