"""Demonstrations as transitions: every column is what was recorded, in its place."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from nppac_agents.experience.demonstrated import demonstrated_transitions, draw_from
from nppac_agents.experience.observed_prior import ObservedPrior


@pytest.fixture
def transitions(demonstrations):
    return demonstrated_transitions(demonstrations, None, "cpu")


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
    given = demonstrated_transitions(judged, None, "cpu")
    assert given.terminated.nonzero().flatten().tolist() == ends[:2].tolist()
    assert given.truncated.nonzero().flatten().tolist() == ends[2:].tolist()


def test_rewards_that_are_not_known_are_zero(demonstrations):
    given = demonstrated_transitions(replace(demonstrations, rewards=None), None, "cpu")
    assert given.rewards.shape == (len(demonstrations),)
    assert not given.rewards.any()


def test_the_prior_is_that_of_state_and_next_state(demonstrations, prior):
    given = demonstrated_transitions(demonstrations, ObservedPrior(prior), "cpu")
    for got, expected in (
        ((given.prior_mean, given.prior_std), prior.moments(given.states)),
        ((given.next_prior_mean, given.next_prior_std), prior.moments(given.next_states)),
    ):
        torch.testing.assert_close(got, expected)


def test_without_a_prior_its_fields_have_no_columns(transitions, demonstrations):
    for moment in transitions[6:]:
        assert moment.shape == (len(demonstrations), 0)


def test_a_minibatch_is_drawn_from_all_rows_and_keeps_each_together(transitions, generator):
    drawn = draw_from(transitions, 4_000, generator)
    rows = (drawn.states[:, None] == transitions.states).all(2)
    assert rows.any(0).all(), "every row comes up"
    row = rows.float().argmax(1)
    for got, whole in zip(drawn[:6], transitions[:6], strict=True):
        np.testing.assert_array_equal(got, whole[row])
