from __future__ import annotations

import math

import pytest
import torch
from nppac_priors import GaussianMLPConfig, prior_registry
from pydantic import ValidationError

pytestmark = pytest.mark.medium

SMALL = GaussianMLPConfig(
    hidden=(8,), steps=300, learning_rate=1e-2, batch_size=128, held_out_share=0.0
)
NOISE_STD = 0.1


@pytest.fixture(scope="module")
def noisy() -> tuple[torch.Tensor, torch.Tensor]:
    """Noise of a known std around a constant, which a network can represent exactly."""
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(2000, 2, generator=generator)
    return states, 0.2 + NOISE_STD * torch.randn(2000, 2, generator=generator)


def mean_log_std(states: torch.Tensor, actions: torch.Tensor, **fields: object) -> float:
    prior = SMALL.model_copy(update=fields).fit(states, actions)
    return prior.moments(states)[1].log().mean().item()


def test_is_found_by_its_kind() -> None:
    assert prior_registry().get("gaussian-mlp") is GaussianMLPConfig


def test_it_finds_mean_and_std(noisy) -> None:
    prior = SMALL.fit(*noisy)
    mean, std = prior.moments(noisy[0])
    torch.testing.assert_close(mean.mean(0), torch.full((2,), 0.2), rtol=0, atol=0.04)
    assert std.log().mean().exp().item() == pytest.approx(NOISE_STD, rel=0.05)


def test_an_entropy_weight_widens_the_std_by_its_closed_form(noisy) -> None:
    expected = NOISE_STD / math.sqrt(1.0 - 0.6)
    assert math.exp(mean_log_std(*noisy, entropy_weight=0.6)) == pytest.approx(expected, rel=0.05)


def test_the_entropy_reaches_its_target(noisy) -> None:
    log_std = mean_log_std(*noisy, target_entropy=-0.5)
    assert log_std + 0.5 * math.log(2.0 * math.pi * math.e) == pytest.approx(-0.5, abs=0.05)


def test_a_target_below_the_likelihoods_own_entropy_changes_nothing(noisy) -> None:
    assert math.exp(mean_log_std(*noisy, target_entropy=-5.0)) == pytest.approx(NOISE_STD, rel=0.05)


def test_a_huge_tikhonov_penalty_leaves_the_standard_normal(noisy) -> None:
    mean, std = SMALL.model_copy(update={"tikhonov": 1e4}).fit(*noisy).moments(noisy[0])
    torch.testing.assert_close(mean, torch.zeros_like(mean), rtol=0, atol=0.02)
    torch.testing.assert_close(std, torch.ones_like(std), rtol=0, atol=0.02)


def test_early_stopping_helps_where_the_network_would_memorise() -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(200, 6, generator=generator)
    actions = (0.3 * torch.randn(200, 2, generator=generator)).clamp(-1, 1)
    fresh = (0.3 * torch.randn(200, 2, generator=generator)).clamp(-1, 1)
    unseen = torch.randn(200, 6, generator=generator)

    def held_out_nll(share: float) -> float:
        config = GaussianMLPConfig(
            **{**SMALL.model_dump(exclude={"kind"}), "held_out_share": share, "hidden": (64,)},
        )
        prior = config.fit(states, actions, episode_lengths=[20] * 10)
        return -prior(unseen).log_prob(fresh).mean().item()

    assert held_out_nll(0.2) < held_out_nll(0.0) - 1.0


@pytest.mark.parametrize(
    "fields",
    [
        {"entropy_weight": 1.0},
        {"entropy_weight": -0.1},
        {"tikhonov": -1.0},
        {"hidden": ()},
        {"hidden": (0,)},
        {"held_out_share": 1.0},
        {"patience": 0},
        {"target_entropy": 4.0},
    ],
)
def test_values_out_of_bounds_are_refused(fields) -> None:
    with pytest.raises(ValidationError):
        GaussianMLPConfig(**fields)
