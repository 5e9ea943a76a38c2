from __future__ import annotations

import pytest
import torch
from nppac_priors.data import hash_data
from nppac_priors.errors import DataError
from nppac_priors.networks.training_set import Batch, Standardiser, TrainingSet


def training_set(states, actions, **options) -> TrainingSet:
    defaults = {
        "episode_lengths": torch.tensor([len(states)]),
        "weights": torch.ones(len(states)),
        "held_out_share": 0.25,
        "generator": torch.Generator().manual_seed(0),
    }
    return TrainingSet.check(states, actions, **{**defaults, **options})


def numbered(episodes: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """States and actions that say which episode they are of."""
    number = torch.arange(episodes).repeat_interleave(length)[:, None].float()
    return torch.cat((number, torch.rand(len(number), 1)), dim=1), number / episodes


def test_whole_episodes_are_held_out() -> None:
    states, actions = numbered(8, 5)
    data = training_set(states, actions, episode_lengths=torch.full((8,), 5))
    assert data.held_out is not None
    fitted, held_out = (set(b.actions[:, 0].tolist()) for b in (data.fitted, data.held_out))
    assert len(held_out) == 2
    assert not fitted & held_out
    assert len(data.fitted) == 30
    assert len(data.held_out) == 10


@pytest.mark.parametrize("options", [{"held_out_share": 0.0}, {}])
def test_without_episodes_or_a_share_nothing_is_held_out(options) -> None:
    data = training_set(*numbered(8, 5), **options)
    assert data.held_out is None
    assert len(data.fitted) == 40


def test_states_are_standardised_over_the_fitted_part() -> None:
    states, actions = numbered(8, 5)
    states[:, 0] = states[:, 0] ** 4
    weights = torch.ones(40)
    weights[::3] = 0.0
    data = training_set(states, actions, episode_lengths=torch.full((8,), 5), weights=weights)
    assert data.held_out is not None
    assert len(data.fitted) + len(data.held_out) == 26
    torch.testing.assert_close(data.fitted.states.mean(0), torch.zeros(2), rtol=0, atol=1e-5)
    spread = data.fitted.states.std(0, correction=0)
    torch.testing.assert_close(spread, torch.ones(2), rtol=0, atol=1e-5)
    assert not torch.allclose(data.held_out.states.mean(0), torch.zeros(2), atol=0.1)


def test_held_out_episodes_move_nothing_that_is_fitted() -> None:
    states, actions = numbered(8, 5)
    lengths = torch.full((8,), 5)
    held_out = training_set(states, actions, episode_lengths=lengths).held_out
    assert held_out is not None
    moved = states.clone()
    moved[(actions == held_out.actions[0]).flatten()] += 100.0
    before, after = (
        training_set(s, actions, episode_lengths=lengths).fitted.states for s in (states, moved)
    )
    assert torch.equal(before, after)


def test_without_held_out_episodes_states_are_standardised_over_all() -> None:
    states = 100.0 + 3.0 * torch.rand(50, 3, generator=torch.Generator().manual_seed(1))
    states[:, 1] = 7.3
    data = training_set(states, states[:, :1] / 1000.0)
    seen = data.fitted.states
    torch.testing.assert_close(seen.mean(0), torch.zeros(3), rtol=0, atol=1e-4)
    expected = torch.tensor([1.0, 0.0, 1.0])
    torch.testing.assert_close(seen.std(0, correction=0), expected, rtol=0, atol=1e-4)
    assert data.data_hash == hash_data(states, states[:, :1] / 1000.0)


def test_the_farthest_states_stay_finite() -> None:
    standardise = Standardiser(torch.tensor([3e38]), torch.tensor([1e-30]))
    assert standardise(torch.tensor([[-3e38], [3e38]])).abs().max() <= 1e6


def test_weights_have_mean_one_and_zero_leaves_out() -> None:
    states, actions = numbered(8, 5)
    weights = torch.arange(40.0)
    data = training_set(states, actions, weights=weights)
    assert len(data.fitted) == 39
    torch.testing.assert_close(data.fitted.weights, weights[1:] / weights[1:].mean())
    assert data.observations == weights.sum()


def test_a_state_of_weight_two_counts_as_two() -> None:
    values = torch.tensor([[1.0, 5.0, 12.0]])
    weighted = Batch(torch.zeros(3, 1), torch.zeros(3, 1), torch.tensor([1.0, 2.0, 1.0]) * 0.75)
    torch.testing.assert_close(
        weighted.average(values), torch.tensor([1.0, 5.0, 5.0, 12.0]).mean()[None]
    )


def test_weights_that_leave_nothing_to_fit_are_refused() -> None:
    states, actions = numbered(2, 5)
    options = {"episode_lengths": torch.tensor([5, 5]), "held_out_share": 0.5}
    held_out = training_set(states, actions, **options).held_out
    assert held_out is not None
    weights = (actions == held_out.actions[0]).flatten().float()
    with pytest.raises(DataError, match="hold out fewer"):
        training_set(states, actions, weights=weights, **options)
