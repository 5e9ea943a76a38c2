"""A fitted prior is used as it is, wherever a kind can stand."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from nppac_priors import ExactGPConfig, FilePriorConfig, VarianceFloorConfig, load_prior
from nppac_priors.errors import ConfigError, DataError, PriorFileError

pytestmark = pytest.mark.medium

RNG = np.random.default_rng(0)
STATES, ACTIONS = RNG.normal(size=(30, 4)), RNG.uniform(-1, 1, (30, 2))


@pytest.fixture
def path(tmp_path):
    prior = ExactGPConfig(steps=5).fit(STATES, ACTIONS, generator=torch.Generator().manual_seed(0))
    prior.save(tmp_path / "gp.safetensors")
    return tmp_path / "gp.safetensors"


def test_it_is_the_prior_of_the_file(path, caplog):
    with caplog.at_level(logging.WARNING):
        prior = FilePriorConfig(path=str(path)).fit(STATES, ACTIONS)
    assert not caplog.records
    assert prior.config == load_prior(path).config
    for one, other in zip(prior.moments(STATES), load_prior(path).moments(STATES), strict=True):
        assert torch.equal(one, other)


def test_other_data_are_a_warning(path, caplog):
    FilePriorConfig(path=str(path)).fit(STATES[:20], ACTIONS[:20])
    assert "gp.safetensors was fitted to other data" in caplog.text


def test_it_can_be_wrapped_and_what_is_saved_needs_the_file_no_more(path, tmp_path):
    config = VarianceFloorConfig(prior=FilePriorConfig(path=str(path)), min_std=0.3)
    prior = config.fit(STATES, ACTIONS)
    prior.save(tmp_path / "floor.safetensors")
    path.unlink()
    again = load_prior(tmp_path / "floor.safetensors")
    assert again.config.prior.kind == "exact-gp"
    assert torch.equal(again.moments(STATES)[1], prior.moments(STATES)[1])


@pytest.mark.parametrize(
    ("states", "actions"), [(STATES[:, :3], ACTIONS), (STATES, ACTIONS[:, :1])]
)
def test_other_dimensions_are_refused(path, states, actions):
    with pytest.raises(ConfigError, match="has 4 state and 2 action dimensions, the"):
        FilePriorConfig(path=str(path)).fit(states, actions)


def test_a_missing_file_and_wrong_data_are_refused(path, tmp_path):
    with pytest.raises(PriorFileError, match="no such file"):
        FilePriorConfig(path=str(tmp_path / "none.safetensors")).fit(STATES, ACTIONS)
    with pytest.raises(DataError, match="states"):
        FilePriorConfig(path=str(path)).fit(STATES * np.nan, ACTIONS)
