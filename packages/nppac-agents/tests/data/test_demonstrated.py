"""Demonstrations as transitions: every column is what was recorded, in its place."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from nppac_agents.data.demonstrated import demonstrated_rows
from nppac_agents.data.discounting import Discounting
from nppac_agents.data.layout import Layout
from nppac_agents.data.observed_prior import ObservedPrior
from nppac_agents.methods.sacfd import SACfD


def demonstrated_transitions(demonstrations, observed=None):
    layout = Layout(4, 2, 0 if observed is None else 2, Discounting(0.9))
    return layout.unpack(demonstrated_rows(demonstrations, layout, observed, "cpu"))


@pytest.fixture
def transitions(demonstrations):
    return demonstrated_transitions(demonstrations)


def test_states_actions_and_rewards_are_those_recorded(demonstrations, transitions):
    for got, recorded in (
        (transitions.states, demonstrations.states),
        (transitions.actions, demonstrations.actions),
        (transitions.rewards, demonstrations.rewards),
    ):
        np.testing.assert_array_equal(got, recorded.astype(np.float32))
    assert set(transitions.rewards.tolist()) == {0.0, 1.0}, "of both kinds, or this shows nothing"


def test_the_next_state_is_the_following_one_and_at_an_end_the_final_one(
    demonstrations, transitions
):
    starts = np.concatenate([[0], np.cumsum(demonstrations.episode_lengths)])
    for episode, (start, end) in enumerate(itertools.pairwise(starts)):
        following = [*demonstrations.states[start + 1 : end], demonstrations.final_states[episode]]
        np.testing.assert_array_equal(transitions.next_states[start:end], np.stack(following))


def test_an_end_that_did_not_terminate_is_truncated(demonstrations):
    ends = np.cumsum(demonstrations.episode_lengths) - 1
    terminations = np.array([True, True, False, False, False])
    judged = replace(demonstrations, terminations=terminations)
    given = demonstrated_transitions(judged)
    assert given.terminated.nonzero().flatten().tolist() == ends[:2].tolist()
    assert given.truncated.nonzero().flatten().tolist() == ends[2:].tolist()


def test_rewards_that_are_not_known_are_zero(demonstrations):
    given = demonstrated_transitions(replace(demonstrations, rewards=None))
    assert given.rewards.shape == (len(demonstrations),)
    assert not given.rewards.any()


def test_the_prior_is_that_of_state_and_next_state(demonstrations, prior):
    given = demonstrated_transitions(demonstrations, ObservedPrior(prior))
    for got, expected in (
        ((given.prior_mean, given.prior_std), prior.moments(given.states)),
        ((given.next_prior_mean, given.next_prior_std), prior.moments(given.next_states)),
    ):
        torch.testing.assert_close(got, expected)


def test_without_a_prior_its_fields_have_no_columns(transitions, demonstrations):
    for name in ("prior_mean", "prior_std", "next_prior_mean", "next_prior_std"):
        assert getattr(transitions, name).shape == (len(demonstrations), 0)


def test_a_minibatch_is_drawn_from_all_rows_and_keeps_each_together(
    spaces, demonstrations, transitions, generator
):
    agent = SACfD(policy_hidden=(4,), critic_hidden=(4,)).build(
        spaces, None, demonstrations, generator=generator
    )
    drawn = agent.draw_demonstrated(4_000)
    rows = (drawn.states[:, None] == transitions.states).all(2)
    assert rows.any(0).all(), "every row comes up"
    row = rows.float().argmax(1)
    for name in ("states", "actions", "rewards", "terminated", "truncated", "next_states"):
        np.testing.assert_array_equal(getattr(drawn, name), getattr(transitions, name)[row])
