from __future__ import annotations

import numpy as np
import pytest
from nppac_envs import DataError
from nppac_envs.demonstrations.episodes import Episode, join


def episode(steps: int, offset: float = 0.0, **extra) -> Episode:
    return Episode(
        observations=np.arange(3.0 * (steps + 1)).reshape(steps + 1, 3) + offset,
        actions=np.full((steps, 2), offset),
        **extra,
    )


def test_episodes_are_laid_end_to_end():
    arrays = join([episode(2, 0.0), episode(1, 100.0, terminated=True)], "here")
    assert arrays["states"][:, 0].tolist() == [0, 3, 100]
    assert arrays["final_states"][:, 0].tolist() == [6, 103]
    assert arrays["episode_lengths"].tolist() == [2, 1]
    assert arrays["terminations"].tolist() == [False, True]
    assert "rewards" not in arrays


def test_rewards_that_only_some_episodes_have_are_left_out():
    arrays = join([episode(2, rewards=np.ones(2)), episode(1)], "here")
    assert "rewards" not in arrays
    arrays = join([episode(2, rewards=np.ones(2)), episode(1, rewards=np.zeros(1))], "here")
    assert arrays["rewards"].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (Episode(np.zeros((2, 3)), np.zeros((2, 2))), r"observations have shape \(2, 3\)"),
        (Episode(np.zeros((3, 4)), np.zeros((2, 2))), r"expected \(3, 3\)"),
        (Episode(np.zeros((3, 3)), np.zeros((2, 1))), r"actions have shape \(2, 1\)"),
        (Episode(np.zeros((1, 3)), np.zeros((0, 2))), "has no actions"),
        (Episode(np.zeros((3, 3)), np.zeros((2, 2)), np.zeros(1)), "rewards have shape"),
        (Episode(np.zeros((3, 3), "S1"), np.zeros((2, 2))), "not numbers"),
    ],
)
def test_episodes_that_do_not_fit_are_named(second: Episode, message: str):
    with pytest.raises(DataError, match=f"here: episode 1.*{message}"):
        join([episode(2), second], "here")


def test_no_episode_at_all_is_refused():
    with pytest.raises(DataError, match="there are no episodes"):
        join([], "here")
