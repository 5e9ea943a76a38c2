from __future__ import annotations

import pytest
import torch
from nppac_priors.reshaped import Reshaped
from torch.distributions import Beta, Independent, MixtureSameFamily, Normal
from torch.distributions.categorical import Categorical

SHAPES = [(), (6,), (2, 3), (1, 2, 1)]


def count(shape: tuple[int, ...]) -> int:
    return int(torch.tensor(shape).prod())


def mixture(shape: tuple[int, ...]) -> MixtureSameFamily:
    """Of two modes, another one in every entry; float64, events (2,)."""
    centres = torch.arange(count(shape) * 4, dtype=torch.float64).reshape(*shape, 2, 2)
    modes = Independent(Normal(centres, torch.ones_like(centres)), 1)
    return MixtureSameFamily(Categorical(torch.ones(*shape, 2, dtype=torch.float64)), modes)


@pytest.mark.parametrize("shape", SHAPES)
def test_densities_are_those_of_the_distribution_that_torch_makes_in_that_shape(shape):
    ours, torchs = Reshaped(mixture((count(shape),)), shape), mixture(shape)
    assert (ours.batch_shape, ours.event_shape) == (torchs.batch_shape, torchs.event_shape)
    generator = torch.Generator().manual_seed(0)
    for drawn in ((*shape, 2), (4, *shape, 2), (5, 4, *shape, 2), (2,)):
        actions = torch.randn(drawn, dtype=torch.float64, generator=generator)
        torch.testing.assert_close(ours.log_prob(actions), torchs.log_prob(actions))
    torch.testing.assert_close(ours.mean, torchs.mean)
    torch.testing.assert_close(ours.variance, torchs.variance)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_draw_is_from_its_own_entry(shape):
    centres = 100.0 * torch.arange(2 * count(shape)).reshape(-1, 2)
    ours = Reshaped(Independent(Normal(centres, 0.1), 1), shape)
    for draws in (ours.sample((3,)), ours.rsample((3,)), ours.sample()[None]):
        assert draws.shape[1:] == (*shape, 2)
        assert ((draws - centres.reshape(*shape, 2)).abs() < 1.0).all()


def test_it_knows_what_the_given_one_knows():
    one = Independent(Beta(torch.full((6, 2), 3.0), torch.arange(2.0, 14.0).reshape(6, 2)), 1)
    ours = Reshaped(one, (2, 3))
    torch.testing.assert_close(ours.entropy()[1, 0], one.entropy()[3])
    assert ours.has_rsample
    modes = Reshaped(mixture((6,)), (2, 3))
    assert not modes.has_rsample
    with pytest.raises(NotImplementedError):
        modes.entropy()
