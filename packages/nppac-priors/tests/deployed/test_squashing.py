import pytest
import torch
from nppac_priors.deployed.squashing import squashed_moments, squashed_prior


@pytest.mark.parametrize("scale", [1e-3, 1e-2])
def test_a_narrow_prior_keeps_its_mean_and_std_through_the_tanh(scale):
    mean = torch.linspace(-0.9, 0.9, 13, dtype=torch.float64)[:, None]
    std = torch.full_like(mean, scale)
    found = squashed_moments(*squashed_prior(mean, std))
    torch.testing.assert_close(found[0], mean, atol=10 * scale**2, rtol=0)
    torch.testing.assert_close(found[1], std, rtol=0.1, atol=0)


def test_a_prior_beyond_the_edge_keeps_a_finite_policy_within_its_std():
    mean = torch.tensor([[1.0], [-1.0], [1.3]], dtype=torch.float64)
    std = torch.full_like(mean, 0.1)
    centre, spread = squashed_prior(mean, std)
    assert torch.isfinite(centre).all()
    assert (spread > 0).all()
    assert ((centre.tanh() - mean.clamp(-1, 1)).abs() < std).all()
