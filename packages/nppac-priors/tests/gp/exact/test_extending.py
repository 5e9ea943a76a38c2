"""Further demonstrations without a new fit."""

from __future__ import annotations

import pytest
import torch
from nppac_priors import ExactGPConfig, GaussianMLPConfig
from nppac_priors.errors import ConfigError, DataError
from nppac_priors.gp.exact.prior import restore_prior

GENERATOR = torch.Generator().manual_seed(0)
STATES = torch.rand(60, 3, generator=GENERATOR) * 2 - 1
ACTIONS = torch.stack([torch.sin(3 * STATES[:, 0]), STATES[:, 1] * STATES[:, 2]], dim=1)
CONFIG = ExactGPConfig(steps=5, subset_size=40)


@pytest.fixture(scope="module")
def prior():
    return CONFIG.fit(STATES[:40], ACTIONS[:40], generator=torch.Generator().manual_seed(0))


def test_it_is_the_posterior_given_all_data(prior):
    """The same as conditioning on everything at once, with the same hyper-parameters."""
    extended = prior.extended(STATES[40:], ACTIONS[40:])
    whole = prior.state() | {
        "states": STATES,
        "actions": ACTIONS,
        "weights": torch.ones(60),
    }
    expected = restore_prior(CONFIG, whole, "cpu")
    for ours, theirs in zip(extended.moments(STATES), expected.moments(STATES), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert extended.data_hash == expected.data_hash != prior.data_hash


def test_it_learns_from_them(prior):
    extended = prior.extended(STATES[40:], ACTIONS[40:])
    before, after = (of.moments(STATES[40:]) for of in (prior, extended))
    assert (after[1] < before[1]).all()
    assert (after[0] - ACTIONS[40:]).square().mean() < (before[0] - ACTIONS[40:]).square().mean()


def test_data_that_it_has_already_are_refused(prior):
    """They would count twice and make it too sure."""
    with pytest.raises(DataError, match="fitted to all of these demonstrations already"):
        prior.extended(STATES[10:30], ACTIONS[10:30])
    with pytest.raises(DataError, match="states"):
        prior.extended(STATES[:, :2], ACTIONS)


def test_a_kind_that_cannot_says_so():
    network = GaussianMLPConfig(hidden=(8,), steps=2).fit(STATES, ACTIONS)
    with pytest.raises(ConfigError, match="'gaussian-mlp' can only be fitted anew"):
        network.extended(STATES, ACTIONS)
