import pytest
import torch
from nppac_agents.parts.standardised_policy import StandardisedPolicy


@pytest.fixture
def data(generator):
    states = 100.0 + 5.0 * torch.randn(500, 3, generator=generator)
    actions = torch.tensor([0.3, -0.2]) + torch.tensor([0.2, 0.001]) * torch.randn(
        500, 2, generator=generator
    )
    return states, actions


def test_untrained_it_is_the_demonstrated_actions_own_normal(data, generator):
    states, actions = data
    policy = StandardisedPolicy(*data, (16,), lowest_log_std=-3.0, generator=generator)
    got = policy(states)
    deviation = actions.std(0, unbiased=False)
    assert ((got.mean - actions.mean(0)).abs() < 0.02 * deviation).all()
    torch.testing.assert_close(got.std[0, 0], deviation[0])
    torch.testing.assert_close(got.std[0, 1], torch.tensor(-3.0).exp())
    assert torch.equal(policy.mode(states), got.mode())


def test_units_of_states_and_actions_make_no_difference(data, generator):
    states, actions = data
    seed = generator.get_state()
    one = StandardisedPolicy(states, actions, (16,), lowest_log_std=-9.0, generator=generator)
    generator.set_state(seed)
    other = StandardisedPolicy(
        10 * states + 3, 4 * actions - 1, (16,), lowest_log_std=-9.0, generator=generator
    )
    with torch.no_grad():
        mean, scaled = one.mode(states), other.mode(10 * states + 3)
    torch.testing.assert_close(4 * mean - 1, scaled, rtol=1e-4, atol=1e-4)


def test_hidden_layers_are_tanh(data, generator):
    policy = StandardisedPolicy(*data, (4, 4), lowest_log_std=-3.0, generator=generator)
    states = data[0][:7]
    hidden = policy.standardiser(states)
    first, second, last = policy.body.layers
    expected = last(second(first(hidden).tanh()).tanh())
    torch.testing.assert_close(
        policy.mode(states), expected * policy.action_scale + policy.action_shift
    )
