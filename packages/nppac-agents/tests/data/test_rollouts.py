import numpy as np
import pytest
import torch
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.methods.nppac import NPPAC


def make_rollouts(point_config, spaces, prior, seed=0, **settings):
    generator = torch.Generator().manual_seed(seed)
    alone = {"trust_region": None, "standardise_states": False, "staggered_resets": False}
    settings = alone | settings
    agent = NPPAC(policy_hidden=(16,), critic_hidden=(16,), **settings).build(
        spaces, prior, None, generator=generator
    )
    replay = agent.make_replay(300, 3, generator)
    return Rollouts(point_config, 3, agent, replay, seed=seed)


def test_each_observed_state_is_evaluated_once_in_one_batch_a_step(
    point_config, spaces, prior, monkeypatch
):
    rollouts = make_rollouts(point_config, spaces, prior)
    batches = []
    moments = prior.moments
    monkeypatch.setattr(prior, "moments", lambda s: batches.append(len(s)) or moments(s))
    for _ in range(45):
        rollouts.step()
    # the first states, then per step 3 next states, and 3 first states after each of 2 episode ends
    assert rollouts.agent.observed.evaluations == 3 + 45 * 3 + 2 * 3
    assert batches == [3, *([3] * 19 + [6]) * 2, *[3] * 5]


def test_finished_episodes_are_reported(point_config, spaces, prior):
    rollouts = make_rollouts(point_config, spaces, prior)
    ended = [rollouts.step() for _ in range(40)]
    assert [len(episodes) for episodes in ended] == ([0] * 19 + [3]) * 2
    episode = ended[19][0]
    assert episode.length == 20
    stored = rollouts.replay.transitions(torch.arange(20)).rewards.sum()
    assert episode.episode_return == pytest.approx(float(stored), rel=1e-5)


def test_stored_next_states_are_the_last_states_of_episodes_not_the_first_of_the_next(
    point_config, spaces, prior
):
    rollouts = make_rollouts(point_config, spaces, prior)
    for _ in range(25):
        rollouts.step()
    ring = rollouts.replay.transitions(torch.arange(25))
    same = (ring.next_states[:-1] == ring.states[1:]).all(1)
    assert same.tolist() == [True] * 19 + [False] + [True] * 4


def test_first_episodes_are_cut_at_different_times_where_resets_are_staggered(
    point_config, spaces, prior
):
    rollouts = make_rollouts(point_config, spaces, prior, staggered_resets=True)
    ended = [rollouts.step() for _ in range(60)]
    assert {i: len(episodes) for i, episodes in enumerate(ended, 1) if episodes} == {
        20: 1, 26: 1, 33: 1, 40: 1, 46: 1, 53: 1, 60: 1
    }  # fmt: skip
    assert {episode.length for episodes in ended for episode in episodes} == {20}
    for env, lasts in enumerate([[5, 25, 45], [12, 32, 52], [19, 39, 59]]):
        ring = rollouts.replay.transitions(100 * env + torch.arange(60))
        assert ring.truncated.nonzero().squeeze(1).tolist() == lasts
        assert not ring.terminated.any()
        goes_on = (ring.next_states[:-1] == ring.states[1:]).all(1)
        assert (~goes_on).nonzero().squeeze(1).tolist() == [last for last in lasts if last < 59]


def test_an_episode_that_ended_by_itself_is_not_followed_by_a_cut(point_config, spaces, prior):
    rollouts = make_rollouts(point_config, spaces, prior)
    rollouts.until_cut[:] = [25, 0, 0]
    lengths = [[e.length for e in rollouts.step()] for _ in range(60)]
    assert [length for length in lengths if length] == [[20, 20, 20]] * 3


@pytest.mark.parametrize("staggered", [False, True])
@pytest.mark.parametrize("before", [4, 25])
def test_restored_rollouts_go_on_identically(point_config, spaces, prior, staggered, before):
    rollouts = make_rollouts(point_config, spaces, prior, staggered_resets=staggered)
    for _ in range(before):
        rollouts.step()
    copy = make_rollouts(point_config, spaces, prior, seed=7, staggered_resets=staggered)
    copy.load_state(rollouts.state())
    copy.agent.acting.set_state(rollouts.agent.acting.get_state())
    for _ in range(30):
        rollouts.step(), copy.step()
        np.testing.assert_array_equal(rollouts.states, copy.states)
        np.testing.assert_array_equal(rollouts.modes, copy.modes)


@pytest.mark.parametrize("start", ["residual", "fresh"])
def test_a_share_of_the_episodes_is_played_by_the_mode(point_config, spaces, prior, start):
    rollouts = make_rollouts(point_config, spaces, prior, start=start, mode_share=0.5)
    agent, played, ended = rollouts.agent, [], []
    for _ in range(40):
        states = rollouts.states
        modes = agent.act(states, deterministic=True)
        first = torch.tensor([len(ring) for ring in rollouts.replay.buffers])
        ended += rollouts.step()
        rows = first + torch.arange(3) * 100
        actions = rollouts.replay.transitions(rows).actions.numpy()
        played.append(np.isclose(actions, modes, rtol=0, atol=1e-5).all(1).tolist())
    assert played == [[False, True, False]] * 20 + [[True, False, True]] * 20
    assert [e.of_mode for e in ended] == [False, True, False, True, False, True]


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.3, 3), (0.5, 5), (1.0, 10)])
def test_the_episodes_of_the_mode_are_evenly_spread(share, expected):
    method = NPPAC(mode_share=share)
    played = [method.plays_mode(episode) for episode in range(1_000)]
    assert {sum(played[i : i + 10]) for i in range(0, 1_000, 10)} == {expected}
    assert sum(played) == 100 * expected
