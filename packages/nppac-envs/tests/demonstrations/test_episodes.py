from __future__ import annotations

import numpy as np
import pytest
from nppac_envs import DataError
from nppac_envs.demonstrations.episodes import Episode, read_episodes
from nppac_envs.errors import EpisodesError


def episode(steps: int, offset: float = 0.0, **extra) -> Episode:
    return Episode(
        observations=np.arange(3.0 * (steps + 1)).reshape(steps + 1, 3) + offset,
        actions=np.full((steps, 2), offset),
        **extra,
    )


def join(episodes, where, exclude=()):
    return read_episodes(episodes, lambda given, _: given, where, exclude)


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
        (Episode(np.zeros((3, 4)), np.zeros((2, 2))), r"has \(4, 2\) state and action"),
        (Episode(np.zeros((3, 3)), np.zeros((2, 1))), r"has \(3, 1\) state and action"),
        (Episode(np.zeros((1, 3)), np.zeros((0, 2))), "has no actions"),
        (Episode(np.zeros((3, 3)), np.zeros((2, 2)), np.zeros(1)), "rewards have shape"),
        (Episode(np.zeros((3, 3), "S1"), np.zeros((2, 2))), "not numbers"),
    ],
)
def test_episodes_that_do_not_fit_are_named(second: Episode, message: str):
    with pytest.raises(DataError, match=f"here: episode 1.*{message}"):
        join([episode(2), second, episode(1)], "here")


def test_no_episode_at_all_is_refused():
    with pytest.raises(DataError, match="there are no episodes"):
        join([], "here")


def test_bad_episodes_are_all_named_and_can_be_excluded():
    """One bad episode does not cost the set, and the others keep their numbers."""
    bad = Episode(np.zeros((3, 4)), np.zeros((2, 2)))
    episodes = [episode(1), bad, episode(2, 1.0), bad, *(episode(1, 2.0) for _ in range(2))]
    with pytest.raises(EpisodesError, match=r"episode 1: .* exclude: \[0, 1, 3\]") as caught:
        join(episodes, "here", (0,))
    assert caught.value.episodes == [1, 3]
    assert caught.value.in_options().endswith("--exclude 0,1,3")
    arrays = join(episodes, "here", (0, 1, 3))
    assert arrays["episode_lengths"].tolist() == [1, 1, 2, 1, 1, 1]
    assert arrays["actions"][:, 0].tolist() == [0, 0, 1, 1, 0, 2, 2]


def test_a_set_of_bad_episodes_has_no_advice_to_leave_them_all_out():
    with pytest.raises(DataError, match="has no actions") as caught:
        join([Episode(np.zeros((1, 3)), np.zeros((0, 2)))] * 2, "here")
    assert "exclude" not in str(caught.value)
    with pytest.raises(DataError, match="no episodes but those left out"):
        join([episode(1)], "here", (0,))
