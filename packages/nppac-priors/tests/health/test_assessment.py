from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch
from nppac_priors.episodes import Episodes
from nppac_priors.errors import DataError
from nppac_priors.health.assessment import Examination, assess
from nppac_priors.prior import Prior

NOISE = 0.1


def growing(norm):
    return NOISE * (1 + (norm / 5) ** 2).clamp(max=4)


def collapsing(norm):
    return torch.where(norm < 5, NOISE, 1e-9)


def constant(norm):
    return torch.full_like(norm, NOISE)


@pytest.mark.parametrize(
    ("std", "word"), [(growing, "healthy"), (collapsing, "collapsed"), (constant, "healthy")]
)
def test_the_verdict_on_a_prior_of_known_shape(shaped, examination, std, word):
    """Actions are pure noise, so claiming no more than that noise everywhere is honest."""
    health = examination.examine(shaped(std))
    assert health.verdict.word == word
    assert (health.off_data.collapse_score > 0.8) == (word == "collapsed")


def test_a_prior_that_is_healthy_all_around_may_be_sure_of_itself_where_its_mean_goes(
    shaped, split
):
    """It grows in all directions but along the first axis, on which its mean leaves the data."""
    went = np.zeros((60, 4), np.float32)
    went[:, 0] = np.linspace(0, 30, 60)

    class OneWay(type(shaped(growing))):
        def _moments(self, states):
            mean, std = super()._moments(states)
            along = states[:, 1:].norm(dim=1) < 1e-3
            return mean, torch.where(along[:, None], 1e-4, std)

    prior = OneWay(shaped(growing).config, growing)
    generator = torch.Generator().manual_seed(0)
    assert assess(prior, split, generator=generator).verdict.word == "healthy"
    health = Examination(split, generator=generator, visited=went).examine(prior)
    assert health.verdict.word == "collapsed"
    assert "at the visited states" in health.verdict.rule
    assert health.visited.states == 60
    assert health.visited.collapse_score == 1.0
    assert health.visited.off_data > 0.8


def test_few_visited_states_off_the_data_decide_nothing(shaped, split):
    stayed = split.fitted.states[:100]
    generator = torch.Generator().manual_seed(0)
    health = Examination(split, generator=generator, visited=stayed).examine(shaped(collapsing))
    assert (health.visited.off_data, health.visited.median_std) == (0.0, None)
    assert "visited" not in health.verdict.rule


def test_coverage_of_the_demonstrated_actions_is_over_the_fitted_episodes(
    shaped, examination, split
):
    shares = examination.examine(shaped(constant)).demonstrated
    scores = np.abs(split.fitted.actions.astype(float)) / NOISE
    assert shares[0.5] == pytest.approx((scores <= 0.67449).mean())
    assert shares[0.9] == pytest.approx((scores <= 1.64485).mean())


def test_growth_and_forecast_of_a_known_shape(shaped, examination):
    health = examination.examine(shaped(growing))
    assert health.off_data.off_data_median_std == pytest.approx(0.4, rel=0.05)
    on, off = health.forecast_on_data, health.forecast_off_data
    policy, prior = health.off_data.on_data_median_std, health.off_data.off_data_median_std
    ratio = (policy / prior) ** 2
    expected = 2 * 0.5 * (ratio + (0.1 / prior) ** 2 - 1 - math.log(ratio))
    assert off.kl.median == pytest.approx(expected, rel=1e-3)
    assert off.gradient_norm.median < on.gradient_norm.median


def test_what_is_measured_on_held_out_episodes_has_not_been_fitted(shaped, examination, split):
    held_out = examination.examine(shaped(constant)).held_out
    assert held_out.steps == len(split.held_out)
    assert held_out.rmse == pytest.approx(float(np.sqrt(np.square(split.held_out.actions).mean())))


def test_off_the_data_is_where_held_out_states_hardly_go(examination, split):
    fitted, held_out = split.fitted.states.astype(float), split.held_out.states.astype(float)
    scaled = (held_out[:, None] - fitted[None]) / fitted.std(axis=0)
    nearest = np.sqrt(np.square(scaled).sum(-1)).min(axis=1)
    assert examination.off_data_from == pytest.approx(np.percentile(nearest, 95))


def test_the_same_generator_gives_the_same_numbers(shaped, split):
    def numbers():
        health = assess(shaped(growing), split, generator=torch.Generator().manual_seed(3))
        return health.off_data, health.forecast_off_data

    assert numbers() == numbers()


def test_a_prior_fitted_to_the_held_out_episodes_too_is_known_by_its_hash(
    shaped, examination, split
):
    def examined(data_hash):
        return examination.examine(shaped(constant, data_hash=data_hash))

    assert not examined(split.fitted.data_hash).saw_held_out
    assert examined(split.whole_hash).saw_held_out


def test_a_prior_fitted_to_other_episodes_is_refused(shaped, examination):
    with pytest.raises(DataError, match="neither to all 10 episodes nor to the 7 that are left"):
        examination.examine(shaped(constant, data_hash="0" * 64))


def test_a_prior_of_other_dimensions_is_refused(linear_prior, examination):
    with pytest.raises(DataError, match="3 state dimensions to 2 actions"):
        examination.examine(linear_prior)


def test_a_prior_that_is_not_gaussian_is_judged_by_the_moments_of_its_draws(shaped, examination):
    """Here its draws are a normal prior's, so that both are judged alike, but for the sampling."""
    given = shaped(growing)

    class Drawn(Prior):
        device = property(lambda self: torch.device("cpu"))
        state = _to = lambda *_: None
        _distribution = lambda self, states: given(states)  # noqa: E731

    drawn = Drawn(given.config, state_dim=4, action_dim=2)
    before = torch.get_rng_state()
    one, other = examination.examine(drawn), examination.examine(given)
    assert torch.equal(torch.get_rng_state(), before)
    assert one.verdict.word == other.verdict.word == "healthy"
    assert one.held_out.nll == pytest.approx(other.held_out.nll, abs=0.02)
    assert one.off_data.growth_ratio == pytest.approx(other.off_data.growth_ratio, rel=0.05)


def test_the_time_of_a_query_is_not_that_of_the_first(shaped, examination, monkeypatch):
    """A Gaussian process from its file factorises in it."""
    clock = [0.0]

    class Waking(type(shaped(growing))):
        def _moments(self, states):
            clock[0] += 1e-6 * len(states) if clock[0] else 100.0
            return super()._moments(states)

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    health = examination.examine(Waking(shaped(growing).config, growing))
    assert health.query_microseconds == pytest.approx(1.0, abs=1e-3)


def test_states_that_never_change_are_refused():
    episodes = Episodes(np.ones((6, 2)), np.zeros((6, 1)), np.array([2, 2, 2]))
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(DataError, match="all dimensions are constant"):
        Examination(episodes.hold_out(0.3, generator), generator=generator)
