"""The Fisher information of a policy: what a small step of its parameters does to its actions.

KL(pi_new || pi_old) = 1/2 d' F d to second order in the step d, averaged over states (Kakade 2001).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nppac_agents.parts.distributions import DiagonalGaussian
from nppac_agents.parts.divergences import analytic_kl
from nppac_agents.parts.solvers import conjugate_gradients


def natural_step(
    policy: DiagonalGaussian,
    parameters: Sequence[Tensor],
    scalar: Tensor,
    size: float,
    damping: float,
    iterations: int,
) -> Tensor:
    """Ascend a scalar along F^-1 g, where the quadratic model of the KL is size / 2; returns |g|.

    Args:
        policy: the distribution at the states to average over, with gradient.
        parameters: of the policy, P entries in all; they are moved.
        scalar: with gradient g (P,) at these parameters.
        size: delta, twice the divergence.
        damping: what is added to the diagonal of F.
        iterations: of conjugate gradients, each one product with F.
    """
    gradient = flat_gradient(scalar, parameters)
    fisher = FisherProduct(policy, parameters, damping)
    direction = conjugate_gradients(fisher, gradient, iterations=iterations)
    length = (size / ((gradient @ direction).abs() + 1e-20)).sqrt()
    move(parameters, length * direction)
    return gradient.norm()


class FisherProduct:
    """v (P,) to (F + damping I) v, without F: each product is one pass backwards.

    Args:
        policy: the distribution at the states to average over, with gradient.
        parameters: of the policy, P entries in all.
        damping: what is added to the diagonal.
    """

    def __init__(
        self, policy: DiagonalGaussian, parameters: Sequence[Tensor], damping: float
    ) -> None:
        self.parameters = parameters
        self.damping = damping
        here = DiagonalGaussian(policy.mean.detach(), policy.std.detach())
        divergence = analytic_kl(policy, here).mean()
        self.slope = flat_gradient(divergence, parameters, create_graph=True)

    def __call__(self, vector: Tensor) -> Tensor:
        """(P,) to (P,)."""
        along = flat_gradient(self.slope @ vector, self.parameters, retain_graph=True)
        return along + self.damping * vector


def flat_gradient(
    scalar: Tensor,
    parameters: Sequence[Tensor],
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> Tensor:
    """The gradient of a scalar, all parameters in one vector (P,); options as in torch."""
    gradients = torch.autograd.grad(
        scalar, parameters, retain_graph=retain_graph or create_graph, create_graph=create_graph
    )
    return torch.cat([gradient.reshape(-1) for gradient in gradients])


@torch.no_grad()
def move(parameters: Sequence[Tensor], step: Tensor) -> None:
    """Add a step (P,) to the parameters."""
    sizes = [parameter.numel() for parameter in parameters]
    for parameter, part in zip(parameters, step.split(sizes), strict=True):
        parameter.add_(part.view_as(parameter))
