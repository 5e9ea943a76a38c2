import pytest
import torch
from nppac_agents.parts.fisher import FisherProduct, flat_gradient, move
from nppac_agents.parts.standardised_policy import StandardisedPolicy


@pytest.fixture
def policy(generator):
    states = torch.randn(30, 3, generator=generator)
    actions = torch.randn(30, 2, generator=generator).tanh()
    network = StandardisedPolicy(states, actions, (4,), lowest_log_std=-3.0, generator=generator)
    for parameter in network.body.parameters():
        parameter.data.normal_(0, 0.5, generator=generator)
    return network.double(), states.double()


def test_it_is_the_covariance_of_the_score(policy, generator):
    """F = E[score score'] with the actions integrated out, by a quadrature that is exact here."""
    network, states = policy
    parameters = list(network.parameters())
    n_parameters = sum(p.numel() for p in parameters)
    dense = torch.zeros(n_parameters, n_parameters, dtype=torch.float64)
    nodes = [(-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6)]
    for state in states:
        policy_here = network(state[None])
        for first, weight_1 in nodes:
            for second, weight_2 in nodes:
                noise = torch.tensor([first, second], dtype=torch.float64)
                action = (policy_here.mean + policy_here.std * noise).detach()
                score = flat_gradient(
                    policy_here.log_prob(action).sum(), parameters, retain_graph=True
                )
                dense += weight_1 * weight_2 * torch.outer(score, score) / len(states)
    fisher = FisherProduct(network(states), parameters, damping=0.01)
    for _ in range(3):
        vector = torch.randn(n_parameters, generator=generator, dtype=torch.float64)
        torch.testing.assert_close(
            fisher(vector), dense @ vector + 0.01 * vector, rtol=1e-8, atol=1e-8
        )


def test_a_step_adds_to_every_parameter_in_order(policy):
    network, _ = policy
    parameters = list(network.parameters())
    before = torch.cat([p.detach().reshape(-1) for p in parameters])
    step = torch.arange(len(before), dtype=torch.float64)
    move(parameters, step)
    after = torch.cat([p.detach().reshape(-1) for p in parameters])
    torch.testing.assert_close(after, before + step)
