import torch
from nppac_agents.parts.slopes import action_slopes


def test_the_slope_of_a_linear_critic_is_the_norm_of_its_weights():
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    slopes = action_slopes(lambda s, a: (a @ weight)[None], torch.zeros(5, 1), torch.randn(3, 5, 2))
    torch.testing.assert_close(slopes, torch.full((3, 5), 5.0))
    (gradient,) = torch.autograd.grad(slopes.mean(), weight)
    torch.testing.assert_close(gradient, torch.tensor([0.6, 0.8]))


def test_it_is_that_of_the_lowest_critic_at_each_action_and_finite_where_it_is_flat():
    slopes = action_slopes(
        lambda s, a: torch.stack([2.0 * a[..., 0], -a[..., 0], 0.0 * a[..., 0] + 0.5]),
        torch.zeros(3, 1), torch.tensor([[1.0], [-1.0], [0.0]]),
    )  # fmt: skip
    torch.testing.assert_close(slopes[:2], torch.tensor([1.0, 2.0]))
    weight = torch.zeros(2, requires_grad=True)
    flat = action_slopes(lambda s, a: (a @ weight)[None], torch.zeros(1, 1), torch.ones(1, 2))
    assert torch.autograd.grad(flat.sum(), weight)[0].isfinite().all()
