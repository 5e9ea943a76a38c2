"""The paper's finding on its own demonstrations: what each prior claims off the data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nppac_priors import prior_registry
from nppac_priors.episodes import Episodes, HeldOutSplit
from nppac_priors.health.assessment import Examination

pytestmark = pytest.mark.medium


@pytest.fixture(scope="module")
def door(real_data) -> HeldOutSplit:
    """20 of the 25 human demonstrations to fit, 5 held out."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(real_data / "minari/door/human-v0/data/main_data.hdf5") as file:
        groups = [file[f"episode_{index}"] for index in range(len(file))]
        actions = [group["actions"][:] for group in groups]
        states = [group["observations"][: len(group["actions"])] for group in groups]
    lengths = np.array([len(part) for part in actions])
    whole = Episodes(np.concatenate(states), np.concatenate(actions), lengths)
    return whole.hold_out(0.2, torch.Generator().manual_seed(0))


def measured(split, **fields):
    config = prior_registry().parse(fields)
    fitted = split.fitted
    prior = config.fit(
        fitted.states,
        fitted.actions,
        episode_lengths=fitted.episode_lengths,
        generator=torch.Generator().manual_seed(0),
    )
    return Examination(split, generator=torch.Generator().manual_seed(0)).examine(prior), prior


def check_gp(health, prior_std):
    curve = np.array(health.off_data.curve.mean_std)
    assert (np.diff(curve) >= -1e-6 * curve[1:]).all()
    assert curve[-1] == pytest.approx(prior_std, rel=1e-3)
    assert health.off_data.collapse_score == 0.0
    assert health.verdict.word == "healthy"


@pytest.mark.slow
def test_the_exact_gp_regains_its_prior_std(door):
    health, prior = measured(door, kind="exact-gp", kernel="matern12", steps=60, subset_size=400)
    fitted = prior.hyperparameters
    prior_std = (fitted.task_covariance.diagonal() + fitted.noise_variance).sqrt().mean().item()
    check_gp(health, prior_std)
    assert health.off_data.growth_ratio > 2


@pytest.mark.slow
def test_the_sparse_gp_regains_its_prior_std(door):
    health, prior = measured(door, kind="sparse-gp", kernel="matern12")
    far = prior.moments(np.full((1, prior.state_dim), 1e6, dtype=np.float32))[1].mean().item()
    check_gp(health, far)
    assert health.off_data.growth_ratio > 1.3


@pytest.mark.parametrize("penalty", [{}, {"entropy_weight": 0.3}, {"tikhonov": 0.01}])
def test_the_network_cloned_by_maximum_likelihood_collapses(door, penalty):
    health, _ = measured(door, kind="gaussian-mlp", steps=300, **penalty)
    assert health.verdict.word == "collapsed"
    assert health.off_data.collapse_score > 0.9
    near, far = health.forecast_on_data, health.forecast_off_data
    assert far.kl.mean > 1e3 * near.kl.mean
    assert far.gradient_norm.mean > 1e3 * near.gradient_norm.mean
