import numpy as np
import pytest
from nppac_agents.reporting.intervals import episode_intervals
from nppac_agents.reporting.measures import MEASURES
from nppac_envs.measures import measure

STEPS, EPISODES = 10, 40


@pytest.fixture
def measures():
    """Episodes of ten steps; every fourth succeeds, from step 3 or 5 on."""
    successes = np.zeros((STEPS, EPISODES), bool)
    successes[2:, ::8] = True
    successes[4:, 4::8] = True
    rewards = np.random.default_rng(0).normal(size=successes.shape)
    return measure(successes, rewards, np.full(EPISODES, STEPS))


def test_every_measure_lies_in_its_interval(measures):
    means, intervals = measures.means(), episode_intervals(measures)
    assert intervals.keys() == {measure.field for measure in MEASURES} == means.keys()
    for field, (low, high) in intervals.items():
        assert low < means[field] < high, field


def test_means_have_the_width_of_their_standard_error(measures):
    error = measures.returns.std() / EPISODES**0.5
    low, high = episode_intervals(measures)["return_mean"]
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_steps_to_success_are_of_solved_episodes(measures):
    low, high = episode_intervals(measures)["time_to_success"]
    assert 3 <= low < 4 < high <= 5


def test_without_a_success_there_are_no_steps_to_it():
    successes = np.zeros((STEPS, EPISODES), bool)
    nothing = measure(successes, successes.astype(float), np.full(EPISODES, STEPS))
    intervals = episode_intervals(nothing)
    assert intervals["time_to_success"] is None
    assert intervals["success_ever"].low == 0.0
    assert intervals["success_ever"].high == pytest.approx(0.0876, abs=1e-4)


def test_the_same_episodes_have_the_same_interval(measures):
    assert episode_intervals(measures) == episode_intervals(measures)
