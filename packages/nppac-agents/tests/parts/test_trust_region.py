import pytest
import torch
from nppac_agents.parts.distributions import DiagonalGaussian
from nppac_agents.parts.policy_network import PolicyNetwork, TrustRegion
from nppac_agents.parts.standardiser import Standardiser

ON_DATA = torch.tensor([0.1, 0.5], dtype=torch.float64)
PRIOR = DiagonalGaussian(
    torch.tensor([[0.2, -0.9], [0.0, 0.3]], dtype=torch.float64),
    torch.tensor([[0.3, 0.2], [0.05, 0.9]], dtype=torch.float64),
)


def policy():
    generator = torch.Generator().manual_seed(0)
    return PolicyNetwork(
        3,
        2,
        (8,),
        start="residual",
        squash=False,
        trust=TrustRegion(1.5, ON_DATA),
        standardiser=Standardiser(3),
        generator=generator,
    ).double()


@pytest.fixture
def states():
    return torch.randn(2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_untrained_it_is_the_prior(states):
    found = policy()(states, PRIOR)
    torch.testing.assert_close(found.mean, PRIOR.mean)
    torch.testing.assert_close(found.std, PRIOR.std)


def test_no_output_moves_a_mean_further_than_its_width_in_the_smaller_std(states):
    network = policy()
    for parameter in network.body.parameters():
        parameter.data.fill_(1e3)
    shift = network(states, PRIOR).mean - PRIOR.mean
    smaller = torch.tensor([[0.1, 0.2], [0.05, 0.5]], dtype=torch.float64)
    torch.testing.assert_close(shift.abs(), 1.5 * smaller)


def test_a_small_output_is_the_shift_in_standard_deviations():
    small = torch.tensor([[1e-4, -1e-4]], dtype=torch.float64)
    shift = TrustRegion(1.5, ON_DATA)(small, PRIOR.std[:1])
    torch.testing.assert_close(
        shift, small * torch.tensor([[0.1, 0.2]]).double(), rtol=1e-6, atol=0
    )
