import numpy as np
import pytest
import torch
from nppac_agents.data.demonstrated import demonstrated_rows
from nppac_agents.data.episode_columns import UNKNOWN
from nppac_agents.data.layout import Discounting, Layout
from nppac_agents.data.observed_prior import ObservedPrior
from nppac_agents.data.replay import TensorReplay
from nppac_agents.data.rollouts import Step
from nppac_agents.data.transitions import columns_of


def make_replay(prior, capacity=12, n_envs=3, seed=0, extra=()):
    layout = Layout(4, 2, 0 if prior is None else 2, Discounting(0.9), extra)
    return TensorReplay(
        capacity,
        n_envs,
        layout,
        observed=None if prior is None else ObservedPrior(prior),
        generator=torch.Generator().manual_seed(seed),
    )


def step_of(number, n_envs, done=False):
    """A step whose every entry tells its number and its environment."""
    tag = number + np.arange(n_envs)[:, None] / 10
    states = np.repeat(tag, 4, axis=1).astype(np.float32)
    flags = np.full(n_envs, done)
    actions = np.repeat(tag, 2, axis=1).astype(np.float32) / 100
    return Step(states, actions, tag[:, 0], np.zeros(n_envs, bool), flags, states + 1)


def assert_observed(batch, prior):
    """Beside both states of each transition stands what the prior says of it."""
    for mean, std, states in (
        (batch.prior_mean, batch.prior_std, batch.states),
        (batch.next_prior_mean, batch.next_prior_std, batch.next_states),
    ):
        expected_mean, expected_std = prior.moments(states)
        torch.testing.assert_close(mean, expected_mean)
        torch.testing.assert_close(std, expected_std)


def test_rows_come_back_as_they_went_in(prior):
    replay = make_replay(prior)
    for number in range(3):
        replay.add(step_of(number, 3, done=number == 2))
    batch = replay.transitions(torch.from_numpy(replay.sample_indices(0)))
    np.testing.assert_allclose(batch.rewards, [0, 1, 2, 0.1, 1.1, 2.1, 0.2, 1.2, 2.2])
    np.testing.assert_allclose(batch.truncated, [0, 0, 1] * 3)
    torch.testing.assert_close(batch.next_states, batch.states + 1)
    torch.testing.assert_close(batch.states[:, 0], batch.rewards)
    assert_observed(batch, prior)


def test_each_ring_keeps_its_newest_transitions():
    replay = make_replay(None)
    for number in range(10):
        replay.add(step_of(number, 3))
    stored = replay.transitions(torch.from_numpy(replay.sample_indices(0))).rewards
    np.testing.assert_allclose(
        sorted(stored.tolist()),
        sorted(n + e for n in (6, 7, 8, 9) for e in (0, 0.1, 0.2)),
        rtol=1e-5,
    )
    assert len(replay) == 12


def test_sampling_is_uniform_over_unequally_filled_rings():
    replay = make_replay(None, capacity=30)
    for number in range(7):
        replay.add(step_of(number, 3))
    for number in range(7, 10):
        part = step_of(number, 3)
        replay.add(Step(*(field[1:2] for field in part)), buffer_ids=[1])
    rewards = replay.sample_transitions(240_000).rewards
    values, counts = rewards.unique(return_counts=True)
    assert len(values) == 24
    assert counts.min() > 9_500
    assert counts.max() < 10_500


def test_episode_statistics_are_tianshous(prior):
    replay = make_replay(prior)
    replay.add(step_of(1, 3))
    _, returns, lengths, _ = replay.add(step_of(2, 3, done=True))
    np.testing.assert_allclose(returns, [3.0, 3.2, 3.4], rtol=1e-6)
    assert lengths.tolist() == [2, 2, 2]
    _, _, lengths, starts = replay.add(step_of(3, 3))
    assert lengths.tolist() == [0, 0, 0]
    assert starts.tolist() == [2, 6, 10]


def test_same_generator_same_minibatches():
    def sample(seed):
        replay = make_replay(None, seed=seed)
        for number in range(4):
            replay.add(step_of(number, 3))
        return replay.sample_transitions(50).rewards

    assert torch.equal(sample(1), sample(1))
    assert not torch.equal(sample(1), sample(2))


@pytest.mark.parametrize("steps", [2, 9])
def test_a_restored_replay_goes_on_as_the_original(prior, steps):
    replay, restored = make_replay(prior), make_replay(prior, seed=5)
    for number in range(steps):
        replay.add(step_of(number, 3, done=number == 1))
    restored.load_state(replay.state())
    for number in range(steps, steps + 3):
        for one, other in zip(
            replay.add(step_of(number, 3)), restored.add(step_of(number, 3)), strict=True
        ):
            np.testing.assert_array_equal(one, other)
    drawn = (columns_of(r.sample_transitions(64)) for r in (replay, restored))
    for one, other in zip(*(list(columns.values())[:-1] for columns in drawn), strict=True):
        assert torch.equal(one, other)


def test_reset_forgets(prior):
    replay = make_replay(prior)
    replay.add(step_of(1, 3))
    replay.reset()
    assert len(replay) == 0
    replay.add(step_of(2, 3))
    assert len(replay) == 3
    assert replay.sample_transitions(20).rewards.min() >= 2


def test_in_order_is_ring_after_ring_from_the_oldest_on():
    replay = make_replay(None)
    for number in range(6):
        replay.add(step_of(number, 3, done=number == 3))
    part = step_of(6, 3)
    replay.add(Step(*(field[1:2] for field in part)), buffer_ids=[1])
    batch = replay.in_order()
    stored = [2, 3, 4, 5, 3.1, 4.1, 5.1, 6.1, 2.2, 3.2, 4.2, 5.2]
    np.testing.assert_allclose(batch.rewards, stored, rtol=1e-6)
    torch.testing.assert_close(batch.states[:, 0], batch.rewards)
    newest_or_ended = [0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1]
    assert batch.truncated.tolist() == newest_or_ended
    assert replay.in_order().truncated.tolist() == newest_or_ended
    assert replay.transitions(torch.arange(12)).truncated.sum() == 3, "the rows are as they were"


def test_the_latest_in_order_are_of_all_rings():
    replay = make_replay(None)
    for number in range(6):
        replay.add(step_of(number, 3))
    batch = replay.in_order(latest=6)
    np.testing.assert_allclose(batch.rewards, [4, 5, 4.1, 5.1, 4.2, 5.2], rtol=1e-6)
    assert batch.truncated.tolist() == [0, 1] * 3


def test_the_first_in_order_are_those_of_the_whole_order_with_the_ends_of_rings():
    replay = make_replay(None)
    for number in range(3):
        replay.add(step_of(number, 3))
    for size in (2, 3, 5, 9, 20):
        columns = columns_of(replay.in_order(first=size))
        for name, column in columns_of(replay.in_order()).items():
            if name != "extra":
                assert torch.equal(columns[name], column[:size])


def test_in_order_does_not_truncate_what_terminated_and_skips_empty_rings():
    replay = make_replay(None)
    for number in range(2):
        one = step_of(number, 3)._replace(terminated=np.full(3, number == 1))
        replay.add(Step(*(field[[0, 2]] for field in one)), buffer_ids=[0, 2])
    batch = replay.in_order()
    np.testing.assert_allclose(batch.rewards, [0, 1, 0.2, 1.2], rtol=1e-6)
    assert batch.terminated.tolist() == [0, 1, 0, 1]
    assert batch.truncated.tolist() == [0, 0, 0, 0]


def test_demonstrations_are_not_part_of_the_order(demonstrations):
    layout = Layout(4, 2, 0, Discounting(0.9))
    given = demonstrated_rows(demonstrations, layout, None, "cpu")
    generator = torch.Generator().manual_seed(0)
    replay = TensorReplay(6, 3, layout, observed=None, demonstrations=given, generator=generator)
    replay.add(step_of(1, 3))
    np.testing.assert_allclose(replay.in_order().rewards, [1.0, 1.1, 1.2], rtol=1e-6)


# Columns that a method declares.


def test_returns_to_go_are_known_once_an_episode_has_ended():
    replay = make_replay(None, capacity=30, extra=("return_to_go",))
    for number in range(1, 4):
        replay.add(step_of(number, 3, done=False))
    rows = torch.from_numpy(replay.sample_indices(0))
    assert (replay.transitions(rows).extra["return_to_go"] < -1e38).all()
    replay.add(step_of(4, 3, done=True))
    replay.add(step_of(5, 3))
    batch = replay.transitions(torch.from_numpy(replay.sample_indices(0)))
    first = batch.extra["return_to_go"][:5]
    expected = [1 + 0.9 * (2 + 0.9 * (3 + 0.9 * 4)), 2 + 0.9 * (3 + 0.9 * 4), 3 + 0.9 * 4, 4.0]
    np.testing.assert_allclose(first[:4], expected, rtol=1e-6)
    assert first[4] < -1e38


def test_an_episode_longer_than_its_ring_knows_the_returns_that_are_left():
    replay = make_replay(None, capacity=3, n_envs=1, extra=("return_to_go",))
    for number in range(1, 6):
        replay.add(step_of(number, 1, done=number == 5))
    batch = replay.in_order()
    np.testing.assert_allclose(batch.rewards, [3, 4, 5])
    np.testing.assert_allclose(batch.extra["return_to_go"], [3 + 0.9 * 8.5, 8.5, 5], rtol=1e-6)


def test_a_cut_ends_running_episodes_alone():
    replay = make_replay(None, capacity=30, extra=("return_to_go",))
    replay.add(step_of(0, 3, done=True))
    for number in (1, 2):
        replay.add(step_of(number, 3))
    replay.cut_episodes(np.array([0, 2]))
    replay.cut_episodes(np.array([0]))
    rings = replay.transitions(torch.from_numpy(replay.sample_indices(0)))
    np.testing.assert_array_equal(rings.truncated, [1, 0, 1, 1, 0, 0, 1, 0, 1])
    known = rings.extra["return_to_go"] > -1e38
    assert known.tolist() == [True, True, True, True, False, False, True, True, True]
    np.testing.assert_allclose(rings.extra["return_to_go"][1:3], [1 + 0.9 * 2, 2], rtol=1e-6)
    _, returns, lengths, _ = replay.add(step_of(3, 3, done=True))
    np.testing.assert_allclose(returns, [3, 1.1 + 2.1 + 3.1, 3.2], rtol=1e-6)
    assert lengths.tolist() == [1, 3, 1]


def test_demonstrated_returns_to_go_end_with_their_episodes(demonstrations):
    layout = Layout(4, 2, 0, Discounting(0.9), ("return_to_go",))
    batch = layout.unpack(demonstrated_rows(demonstrations, layout, None, "cpu"))
    returns, rewards = batch.extra["return_to_go"], batch.rewards
    ends = (batch.terminated + batch.truncated).bool()
    torch.testing.assert_close(returns[ends], rewards[ends])
    going_on = ~ends[:-1]
    torch.testing.assert_close(
        returns[:-1][going_on], (rewards[:-1] + 0.9 * returns[1:])[going_on], rtol=1e-5, atol=1e-6
    )


def test_demonstrated_steps_left_end_with_their_episodes(demonstrations):
    layout = Layout(4, 2, 0, Discounting(0.9), ("steps_left",))
    batch = layout.unpack(demonstrated_rows(demonstrations, layout, None, "cpu"))
    expected = [np.arange(length)[::-1] for length in demonstrations.episode_lengths]
    np.testing.assert_array_equal(batch.extra["steps_left"], np.concatenate(expected))


# What follows from the ends.


@pytest.mark.parametrize("timeouts", [False, True])
def test_discounts_stop_at_terminal_states_and_at_timeouts_where_asked(timeouts):
    terminated, truncated = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0.0, 0.0, 1.0])
    discounts = Discounting(0.9, timeouts).discounts(terminated, truncated)
    torch.testing.assert_close(discounts, torch.tensor([0.9, 0.0, 0.0 if timeouts else 0.9]))


@pytest.mark.parametrize("steps", [3, 9])
def test_another_prior_is_observed_at_all_states(prior, prior_config, demonstrations, steps):
    """Also where a ring is full, and at the states of demonstrations that it was given."""
    other = prior_config.fit(demonstrations.states[:40], -demonstrations.actions[:40])
    layout = Layout(4, 2, 2, Discounting(0.9))
    rows = demonstrated_rows(demonstrations, layout, ObservedPrior(prior), "cpu")
    replay = TensorReplay(
        12,
        3,
        layout,
        observed=ObservedPrior(prior),
        demonstrations=rows,
        generator=torch.Generator(),
    )
    for number in range(steps):
        replay.add(step_of(number, 3, done=number == steps - 3))
    assert replay.observed is not None
    replay.observed.replace(other)
    replay.observe_anew(demonstrated_rows(demonstrations, layout, replay.observed, "cpu"))
    stored = replay.transitions(torch.from_numpy(replay.sample_indices(0)))
    shown = replay.transitions(torch.arange(12, 12 + len(rows)))
    for batch in (stored, shown):
        assert_observed(batch, other)


@pytest.mark.parametrize(
    ("steps", "ends", "kept"),
    [
        (3, {3}, []),
        (3, {1}, [0, 1]),
        (6, {4}, []),
        (6, {3, 4}, [4]),
        (9, {8}, []),
        (9, {5, 8}, [6, 7, 8]),
    ],
)
def test_episodes_that_go_on_or_have_lost_their_beginning_are_not_whole(steps, ends, kept):
    replay = make_replay(None)
    for number in range(steps):
        replay.add(step_of(number, 3, done=number in ends))
    expected = [n + e for e in (0, 0.1, 0.2) for n in kept]
    np.testing.assert_allclose(replay.whole_episodes().rewards, expected, rtol=1e-5)


def test_previous_actions_and_returns_ahead_of_an_episode_by_hand():
    layout = Layout(4, 2, 0, Discounting(0.9, horizon=2), ("previous_actions", "return_ahead"))
    replay = TensorReplay(30, 3, layout, observed=None, generator=torch.Generator().manual_seed(0))
    steps = [step_of(number, 3, done=number == 3) for number in range(1, 5)]
    for step in steps[:2]:
        replay.add(step)
    going_on = replay.in_order().extra
    assert (going_on["return_ahead"] == UNKNOWN).all()
    assert (going_on["previous_actions"] == 0).all()
    for step in steps[2:]:
        replay.add(step)
    lived = replay.in_order()
    first, rewards = {name: of[:4] for name, of in lived.extra.items()}, lived.rewards[:4]
    actions = torch.from_numpy(np.stack([step.act[0] for step in steps]).astype(np.float32))
    assert actions[:2].abs().sum() > 0
    torch.testing.assert_close(first["previous_actions"][1:3], actions[:2])
    assert (first["previous_actions"][[0, 3]] == 0).all()
    expected = [rewards[0] + rewards[1], rewards[1] + rewards[2], rewards[2]]
    torch.testing.assert_close(first["return_ahead"][:3], torch.stack(expected))
    assert first["return_ahead"][3] == UNKNOWN


def test_demonstrated_previous_actions_and_returns_ahead_stay_in_their_episodes(demonstrations):
    layout = Layout(4, 2, 0, Discounting(0.9, horizon=3), ("previous_actions", "return_ahead"))
    batch = layout.unpack(demonstrated_rows(demonstrations, layout, None, "cpu"))
    lengths = demonstrations.episode_lengths.tolist()
    for actions, rewards, before, ahead in zip(
        *(
            of.split(lengths)
            for of in (
                batch.actions,
                batch.rewards,
                batch.extra["previous_actions"],
                batch.extra["return_ahead"],
            )
        ),
        strict=True,
    ):
        assert torch.equal(before[1:], actions[:-1])
        assert (before[0] == 0).all()
        expected = [rewards[step : step + 3].sum() for step in range(len(rewards))]
        torch.testing.assert_close(ahead, torch.stack(expected))
