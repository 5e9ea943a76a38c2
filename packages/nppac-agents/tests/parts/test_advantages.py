import pytest
import torch
from nppac_agents.parts.advantages import (
    backward_sums,
    generalised_advantages,
    standardised,
    steps_since_start,
)

# Three episodes: terminated after 3 steps, cut after 4, and 2 steps of one that is cut.
TERMINATED = torch.tensor([0.0, 0, 1, 0, 0, 0, 0, 0, 0])
ENDS = torch.tensor([0.0, 0, 1, 0, 0, 0, 1, 0, 1])
EPISODES = [(0, 3), (3, 7), (7, 9)]


def drawn(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3, 9, generator=generator, dtype=torch.float64)


def advantages(rewards, values, following, gamma, trace_decay):
    errors = rewards + gamma * (1.0 - TERMINATED.double()) * following - values
    return generalised_advantages(errors, ENDS.double(), gamma * trace_decay)


@pytest.mark.parametrize("trace_decay", [0.0, 0.6, 1.0])
def test_they_are_the_sums_of_the_definition(trace_decay):
    rewards, values, following = drawn()
    expected = torch.zeros(9, dtype=torch.float64)
    for first, last in EPISODES:
        for start in range(first, last):
            for row in range(start, last):
                future = 0.0 if TERMINATED[row] else following[row]
                error = rewards[row] + 0.9 * future - values[row]
                expected[start] += (0.9 * trace_decay) ** (row - start) * error
    torch.testing.assert_close(
        advantages(rewards, values, following, 0.9, trace_decay), expected, rtol=1e-12, atol=1e-12
    )


def test_without_decay_they_are_the_returns_less_the_values():
    rewards, values, following = drawn(1)
    following = torch.where(ENDS > 0, following, values.roll(-1))
    got = advantages(rewards, values, following, 0.9, 1.0) + values
    for first, last in EPISODES:
        for start in range(first, last):
            discounted = sum(0.9 ** (row - start) * rewards[row] for row in range(start, last))
            rest = 0.0 if TERMINATED[last - 1] else 0.9 ** (last - start) * following[last - 1]
            assert got[start].item() == pytest.approx(float(discounted + rest))


def test_true_values_leave_nothing_where_an_episode_is_only_cut():
    forever = torch.full((9,), 1.0 / (1.0 - 0.9), dtype=torch.float64)
    got = advantages(torch.ones(9, dtype=torch.float64), forever, forever, 0.9, 0.95)
    assert got[3:].abs().max() < 1e-12
    assert got[2].item() == pytest.approx(1.0 - 10.0)


def test_sums_from_the_end_keep_dtype():
    terms = torch.tensor([1.0, 2.0, 3.0])
    sums = backward_sums(terms, torch.tensor([0.5, 0.0, 9.0]))
    assert sums.dtype == terms.dtype
    assert sums.tolist() == [2.0, 2.0, 3.0]


@pytest.mark.parametrize("size", [1, 2, 5, 64, 1000])
def test_sums_from_the_end_are_those_of_a_loop(size):
    generator = torch.Generator().manual_seed(size)
    terms, factors = torch.randn(2, size, generator=generator, dtype=torch.float64)
    factors = factors.abs().clamp(max=1.0)
    expected, following = [], 0.0
    for term, factor in zip(terms.flip(0).tolist(), factors.flip(0).tolist(), strict=True):
        following = term + factor * following
        expected.append(following)
    expected = torch.tensor(expected[::-1], dtype=torch.float64)
    torch.testing.assert_close(backward_sums(terms, factors), expected, rtol=1e-12, atol=1e-12)


def test_time_starts_anew_after_every_end():
    assert steps_since_start(ENDS).tolist() == [0, 1, 2, 0, 1, 2, 3, 0, 1]
    assert steps_since_start(torch.zeros(1)).tolist() == [0]


def test_advantages_are_standardised():
    standard = standardised(torch.tensor([1.0, 2.0, 6.0]).double(), 1e-6)
    assert standard.mean().item() == pytest.approx(0.0, abs=1e-12)
    assert standard.std(correction=0).item() == pytest.approx(1.0, rel=1e-6)
    assert torch.equal(standardised(torch.full((3,), 4.0), 1e-6), torch.zeros(3))
