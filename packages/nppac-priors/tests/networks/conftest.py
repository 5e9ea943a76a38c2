"""Fixtures: stacked networks, and a batch for them.

In float64, where two ways to the same number agree on every processor; in float32 one network and
five in a batch go through different products.
"""

from __future__ import annotations

import pytest
import torch
from nppac_priors.networks.perceptrons import StackedNetworks
from nppac_priors.networks.training_set import Batch


@pytest.fixture
def networks() -> StackedNetworks:
    """Three networks from 4 states to 2 actions."""
    drawn = StackedNetworks.draw(3, (4, 8, 5, 4), torch.Generator().manual_seed(1))
    return StackedNetworks(
        tuple(w.double() for w in drawn.weights), tuple(b.double() for b in drawn.biases)
    )


@pytest.fixture
def batch() -> Batch:
    """Ten states of weight 1, the same for all networks."""
    generator = torch.Generator().manual_seed(2)
    states = torch.randn(10, 4, generator=generator, dtype=torch.float64)
    actions = 2.0 * torch.rand(10, 2, generator=generator, dtype=torch.float64) - 1.0
    return Batch(states, actions, torch.ones(10).double())
