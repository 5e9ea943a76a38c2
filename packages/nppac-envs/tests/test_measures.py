from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nppac_envs import EpisodeMeasures, Measures, measure


def by_hand(flags: list[bool], rewards: list[float]) -> dict[str, Any]:
    """The definitions, one episode, plain Python."""
    return {
        "success_ever": any(flags),
        "success_at_end": flags[-1],
        "solved_fraction": sum(flags) / len(flags),
        "time_to_success": flags.index(True) + 1 if any(flags) else math.nan,
        "returns": sum(rewards),
    }


@st.composite
def recordings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    steps, episodes = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    successes = rng.uniform(size=(steps, episodes)) < draw(st.sampled_from([0.0, 0.3, 1.0]))
    return successes, rng.normal(size=(steps, episodes)), rng.integers(1, steps + 1, episodes)


@given(recordings())
def test_measures_follow_their_definitions(recording: tuple[np.ndarray, np.ndarray, np.ndarray]):
    successes, rewards, lengths = recording
    got = measure(successes, rewards, lengths)
    for episode, length in enumerate(lengths):
        flags = successes[:length, episode].tolist()
        for name, value in by_hand(flags, rewards[:length, episode].tolist()).items():
            assert getattr(got, name)[episode] == pytest.approx(value, nan_ok=True), name


def test_accumulation_ignores_steps_after_an_episode():
    total = EpisodeMeasures(2)
    total.update(np.array([True, False]), np.array([1.0, 0.0]))
    total.update(np.array([False, True]), np.array([0.0, 1.0]), np.array([True, False]))
    total.update(np.array([True, True]), np.array([5.0, 5.0]), np.array([False, False]))
    got = total.result()
    assert got.success_at_end.tolist() == [False, False]
    assert got.solved_fraction.tolist() == [0.5, 0.0]
    assert got.returns.tolist() == [1.0, 0.0]


def test_parts_together_are_the_episodes_in_order():
    rng = np.random.default_rng(0)
    successes, rewards = rng.uniform(size=(5, 7)) < 0.3, rng.normal(size=(5, 7))
    lengths = rng.integers(1, 6, 7)
    parts = [
        measure(successes[:, part], rewards[:, part], lengths[part])
        for part in (slice(0, 3), slice(3, 6), slice(6, 7))
    ]
    whole = measure(successes, rewards, lengths)
    assert Measures.together(parts).per_episode() == whole.per_episode()


def test_means_leave_failures_out_of_the_time_to_success():
    successes = np.array([[False, False], [True, False], [True, False]])
    got = measure(successes, successes.astype(float), np.array([3, 3]))
    assert got.means() == {
        "success_ever": 0.5,
        "success_at_end": 0.5,
        "solved_fraction": pytest.approx(1 / 3),
        "time_to_success": 2.0,
        "return_mean": 1.0,
        "normalised_return": None,
    }
    assert got.per_episode()["time_to_success"] == [2.0, None]


def test_a_task_that_knows_no_success_has_returns_alone():
    total = EpisodeMeasures(2)
    total.update(np.array([False, False]), np.array([1.0, 2.0]))
    silent, told = total.result(tells_success=False), total.result()
    assert silent.per_episode() == {"returns": [1.0, 2.0]}
    assert {name for name, mean in silent.means().items() if mean is not None} == {"return_mean"}
    assert silent.means().keys() == told.means().keys()
    assert not Measures.together([silent, silent]).tells_success
    assert Measures.together([silent, told]).means()["success_ever"] == 0.0


def test_no_success_at_all_has_no_time():
    got = measure(np.zeros((4, 2), bool), np.zeros((4, 2)), np.array([4, 2]))
    assert got.means()["time_to_success"] is None


def test_results_are_not_changed_by_later_steps():
    total = EpisodeMeasures(1)
    total.update(np.array([True]), np.array([1.0]))
    early = total.result()
    total.update(np.array([False]), np.array([1.0]))
    assert early.returns.tolist() == [1.0]
    assert early.success_at_end.tolist() == [True]


@pytest.mark.parametrize(
    ("successes", "rewards", "lengths"),
    [
        (np.zeros((3, 2), bool), np.zeros((3, 1)), [3, 3]),
        (np.zeros(3, bool), np.zeros(3), [3]),
        (np.zeros((3, 2), bool), np.zeros((3, 2)), [3, 4]),
        (np.zeros((3, 2), bool), np.zeros((3, 2)), [3, 0]),
        (np.zeros((3, 2), bool), np.zeros((3, 2)), [3]),
    ],
)
def test_wrong_shapes_are_refused(successes: np.ndarray, rewards: np.ndarray, lengths: list[int]):
    with pytest.raises(ValueError, match=r"must"):
        measure(successes, rewards, np.array(lengths))


def test_an_episode_without_steps_has_no_measures():
    with pytest.raises(ValueError, match="episode 0 has no steps"):
        EpisodeMeasures(2).result()
    with pytest.raises(ValueError, match="at least 1"):
        EpisodeMeasures(0)


def test_returns_are_normalised_by_those_that_a_task_states():
    """0 a random policy, 100 an expert, and straight through both."""
    total = EpisodeMeasures(4)
    total.update(np.zeros(4, bool), np.array([-10.0, 40.0, 15.0, 140.0]))
    got = total.result(tells_success=False, references=(-10.0, 40.0))
    assert got.normalised().tolist() == [0.0, 100.0, 50.0, 300.0]
    assert got.means()["normalised_return"] == 112.5
    assert got.per_episode()["normalised_returns"] == [0.0, 100.0, 50.0, 300.0]
    assert Measures.together([got, got]).means()["normalised_return"] == 112.5
    assert total.result().normalised() is None
    assert "normalised_returns" not in total.result().per_episode()
