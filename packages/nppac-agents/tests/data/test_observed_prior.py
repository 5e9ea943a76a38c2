import numpy as np
import pytest
import torch
from nppac_agents.data.observed_prior import ObservedPrior


def draw(rng, n):
    return rng.standard_normal((n, 4)).astype(np.float32)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_every_state_is_evaluated_once_whoever_asks(prior, rng):
    observed = ObservedPrior(prior)
    states = draw(rng, 6)
    first = observed.moments(states)
    assert observed.evaluations == 6
    again = observed.moments(states[::-1])
    assert observed.evaluations == 6
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a, b.flip(0))
    observed.moments(np.concatenate([states, draw(rng, 2)]))
    assert observed.evaluations == 8


def test_moments_are_the_priors(prior, rng):
    states = draw(rng, 9)
    mean, std = ObservedPrior(prior).moments(states)
    expected_mean, expected_std = prior.moments(states)
    torch.testing.assert_close(mean, expected_mean)
    torch.testing.assert_close(std, expected_std)


def test_equal_states_in_one_batch_are_evaluated_once(prior, rng):
    observed = ObservedPrior(prior)
    state = draw(rng, 1)
    mean, _ = observed.moments(np.repeat(state, 3, axis=0))
    assert observed.evaluations == 1
    assert torch.equal(mean[0], mean[2])


def test_forgotten_states_are_evaluated_again_and_stay_right(prior, rng):
    observed = ObservedPrior(prior, capacity=16)
    batches = [draw(rng, 6) for _ in range(5)]
    for _ in range(3):
        for states in batches:
            mixed = np.concatenate([batches[0][:2], states])
            torch.testing.assert_close(observed.moments(mixed)[1], prior.moments(mixed)[1])
    assert observed.evaluations > 30


def test_more_states_than_memory_are_not_remembered(prior, rng):
    observed = ObservedPrior(prior, capacity=8)
    states = draw(rng, 20)
    torch.testing.assert_close(observed.moments(states)[0], prior.moments(states)[0])


def test_state_restores_the_memory_to_the_bit(prior, rng):
    observed, states = ObservedPrior(prior), draw(rng, 5)
    kept = observed.state(states)
    kept["std"] = kept["std"] + 1.0
    restored = ObservedPrior(prior)
    restored.load_state(kept)
    assert torch.equal(restored.moments(states)[1], kept["std"])
    assert restored.evaluations == 0


def test_no_gradient_and_no_parameters(prior, rng):
    mean, std = ObservedPrior(prior).moments(draw(rng, 3))
    assert not mean.requires_grad
    assert not std.requires_grad
