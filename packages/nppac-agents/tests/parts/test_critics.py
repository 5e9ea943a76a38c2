import pytest
import torch
from nppac_agents.parts.critics import CriticEnsemble, Critics
from nppac_agents.parts.standardiser import Standardiser


@pytest.fixture
def critics():
    generator = torch.Generator().manual_seed(0)
    ensemble = CriticEnsemble(
        3, 2, (8,), n_critics=4, layer_norm=True, standardiser=Standardiser(3), generator=generator
    )
    for parameter in ensemble.parameters():
        parameter.data.normal_(0, 0.5, generator=generator)
    return Critics(ensemble, 1e-3).double()


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)
    return tuple(
        torch.randn(6, width, generator=generator, dtype=torch.float64) for width in (3, 2)
    )


def test_the_first_rewards_that_are_not_zero_set_the_unit(critics, inputs):
    before = critics(*inputs)
    assert critics.in_units(torch.zeros(3).double()).tolist() == [0, 0, 0]
    assert critics.in_units(torch.tensor([0.0, -4.0, 2.0]).double()).tolist() == [0, -1, 0.5]
    assert critics.unit == 4
    torch.testing.assert_close(critics(*inputs), before, msg="they know no value yet")


def test_a_larger_reward_leaves_values_what_they_were(critics, inputs):
    critics.in_units(torch.tensor([4.0]).double())
    fast, slow = (values(*inputs) * critics.unit for values in (critics, critics.slow))
    assert critics.in_units(torch.tensor([1.0, 10.0]).double()).tolist() == [0.1, 1.0]
    torch.testing.assert_close(critics(*inputs) * critics.unit, fast)
    torch.testing.assert_close(critics.slow(*inputs) * critics.unit, slow)
    assert critics.in_units(torch.tensor([5.0]).double()).tolist() == [0.5]


def test_sums_of_several_rewards_count_a_step(critics):
    assert critics.in_units(torch.tensor([6.0]).double(), steps=3.0).item() == 3.0
    assert critics.unit == 2


def test_the_lowest_of_a_subset_is_that_of_two_of_the_critics(critics, inputs):
    values = critics.slow(*inputs)
    generator = torch.Generator().manual_seed(2)
    drawn = torch.stack([critics.lowest(*inputs, 2, generator) for _ in range(200)])
    pairs = torch.combinations(torch.arange(4))
    expected = torch.stack([values[pair].amin(0) for pair in pairs]).unique(dim=0)
    found = (drawn[:, None] - expected[None]).abs().amax(-1).argmin(1)
    torch.testing.assert_close(drawn, expected[found])
    assert found.unique().numel() == len(expected) > 3


def test_all_critics_draw_nothing(critics, inputs):
    generator = torch.Generator().manual_seed(2)
    before = generator.get_state()
    torch.testing.assert_close(critics.lowest(*inputs, 4, generator), critics.slow(*inputs).amin(0))
    assert torch.equal(generator.get_state(), before)
