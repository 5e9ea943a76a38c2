import math

import numpy as np
import pytest
import torch
from nppac_priors.deployed.alarm import Alarm, scores_of
from nppac_priors.errors import DataError


def draws(generator, episodes, steps):
    """Scores of episodes whose steps are alike: each has a level of its own."""
    level = torch.randn(episodes, 1, generator=generator)
    return (level + 0.3 * torch.randn(episodes, steps, generator=generator)).double()


def test_the_score_is_the_mean_log_of_the_standard_deviations():
    scores = scores_of(torch.tensor([[1.0, math.e**2], [4.0, 0.25]]))
    torch.testing.assert_close(scores, torch.tensor([1.0, 0.0], dtype=torch.float64))


def test_trust_is_the_share_of_demonstrated_states_with_a_score_as_high():
    alarm = Alarm(torch.tensor([3.0, 1.0, 2.0, 2.0]).double(), torch.tensor([3.0, 2.0]).double())
    trust = alarm.trust(torch.tensor([0.0, 2.0, 2.5, 4.0]))
    assert trust.tolist() == [1.0, 0.75, 0.25, 0.0]


@pytest.mark.parametrize("unit", ["per_step", "per_episode"])
def test_false_alarms_are_no_more_often_than_stated(unit):
    """Over many demonstrators: of new steps, or of new episodes with any alarm."""
    rate, episodes, steps, worlds = 0.1, 29, 20, 400
    generator = torch.Generator().manual_seed(1)
    alarms = []
    for _ in range(worlds):
        scores = draws(generator, episodes + 1, steps)
        known, new = scores[:-1], scores[-1]
        alarm = Alarm(known.flatten(), known.amax(1))
        raised = alarm.trust(new) < alarm.threshold(**{unit: rate})
        alarms.append(raised.double().mean() if unit == "per_step" else raised.any().double())
    measured = np.array(alarms)
    error = measured.std() / math.sqrt(worlds)
    assert measured.mean() <= rate + 2 * error
    assert measured.mean() >= rate - 4 * error, "no more careful than it has to be"


def test_equal_scores_raise_no_alarm():
    scores = torch.cat([torch.zeros(95), torch.ones(5)]).double()
    alarm = Alarm(scores, torch.tensor([0.0] * 8 + [1.0]).double())
    assert alarm.trust(torch.tensor([0.0])).item() == 1.0
    for rate in ({"per_step": 0.02}, {"per_episode": 0.1}):
        assert alarm.trust(torch.tensor([1.0])).item() >= alarm.threshold(**rate)
        assert alarm.trust(torch.tensor([1.1])).item() < alarm.threshold(**rate)


@pytest.mark.parametrize(
    ("rates", "problem"),
    [
        ({"per_episode": 0.1}, "2 demonstrated episodes allow no rate of false alarms below 0.333"),
        ({"per_step": 0.1}, "4 demonstrated states allow no rate of false alarms below 0.2"),
        ({"per_step": 1.0}, "lies between 0 and 1, got 1"),
        ({}, "give either per_step or per_episode"),
        ({"per_step": 0.1, "per_episode": 0.1}, "give either per_step or per_episode"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(rates, problem):
    alarm = Alarm(torch.arange(4.0).double(), torch.tensor([1.0, 3.0]).double())
    with pytest.raises(DataError, match=problem):
        alarm.threshold(**rates)


def test_an_alarm_knows_the_highest_score_of_each_episode_and_refuses_a_prior_that_is_blind():
    std = torch.tensor([[1.0], [3.0], [2.0], [0.5], [0.7]])
    alarm = Alarm.of(std, torch.tensor([2, 3]))
    torch.testing.assert_close(alarm.episode_scores, torch.tensor([2.0, 3.0]).double().log())
    with pytest.raises(DataError, match="equally sure of all states"):
        Alarm.of(torch.ones(5, 1), torch.tensor([2, 3]))
