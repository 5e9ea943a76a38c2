import dataclasses

import numpy as np
import pytest
from nppac_agents.reporting.intervals import difference_interval, episode_intervals, event_interval
from nppac_agents.reporting.measures import MEASURES
from nppac_agents.reporting.statistics import wilson
from nppac_envs.measures import measure

STEPS, EPISODES = 10, 40


@pytest.fixture
def measures():
    """Episodes of ten steps; every fourth succeeds, from step 3 or 5 on."""
    successes = np.zeros((STEPS, EPISODES), bool)
    successes[2:, ::8] = True
    successes[4:, 4::8] = True
    rewards = np.random.default_rng(0).normal(size=successes.shape)
    measured = measure(successes, rewards, np.full(EPISODES, STEPS))
    return dataclasses.replace(measured, references=(-1.0, 9.0))


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


def test_of_a_task_without_success_the_return_alone_has_one(measures):
    silent = dataclasses.replace(measures, tells_success=False, references=None)
    intervals = episode_intervals(silent)
    assert intervals.keys() == silent.means().keys() == {measure.field for measure in MEASURES}
    assert [field for field, ends in intervals.items() if ends] == ["return_mean"]
    assert [field for field, mean in silent.means().items() if mean is not None] == ["return_mean"]


def test_an_event_is_as_sure_as_the_measures_that_it_is_of(measures):
    """As it stands in the metrics file, without intervals of its own."""
    event = {**measures.means(), "episodes": EPISODES, "per_episode": measures.per_episode()}
    for field, interval in episode_intervals(measures).items():
        assert event_interval(event, field) == interval


def test_without_a_success_there_are_no_steps_to_it():
    successes = np.zeros((STEPS, EPISODES), bool)
    nothing = measure(successes, successes.astype(float), np.full(EPISODES, STEPS))
    intervals = episode_intervals(nothing)
    assert intervals["time_to_success"] is None
    assert intervals["success_ever"].low == 0.0
    assert intervals["success_ever"].high == pytest.approx(0.0876, abs=1e-4)


def test_the_same_episodes_have_the_same_interval(measures):
    assert episode_intervals(measures) == episode_intervals(measures)


def test_a_changes_interval_is_newcombes():
    before, after = (0.75, wilson(15, 20)), (0.5, wilson(10, 20))
    low, high = difference_interval(before, after)
    assert low == pytest.approx(-0.25 - np.hypot(0.5 - 0.2993, 0.8881 - 0.75), abs=1e-3)
    assert high == pytest.approx(-0.25 + np.hypot(0.7007 - 0.5, 0.75 - 0.5313), abs=1e-3)


def test_a_logged_share_has_wilsons_interval_and_other_measures_none():
    event = {"success_ever": 0.25, "return_mean": 3.0, "episodes": 20}
    assert event_interval(event, "success_ever") == wilson(5, 20)
    assert event_interval(event, "return_mean") is None
    assert event_interval({**event, "intervals": {"return_mean": [1, 5]}}, "return_mean") == (1, 5)
