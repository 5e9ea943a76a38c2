"""How far a policy is from an ensemble of CVAEs, by an analytic bound (Zhang et al. 2021, eq. 8).

The bound of KL(pi(.|s) || p(.|s)) is the mean, over members k, of

    E_{a ~ pi, z ~ q_k(.|s, a)} [KL(pi(.|s) || p_k(.|s, z)) + KL(q_k(.|s, a) || N(0, I))]

between normals of actions before their tanh, which changes no divergence.
"""

from __future__ import annotations

import torch
from nppac_priors.cvae.ensemble import CVAEEnsemble
from nppac_priors.cvae.networks import kl_to_unit
from torch import Tensor

from nppac_agents.parts.distributions import ActionDistribution, DiagonalGaussian
from nppac_agents.parts.divergences import analytic_kl
from nppac_agents.parts.tensors import normal


def kl_bound(
    policy: ActionDistribution,
    behaviour: CVAEEnsemble,
    states: Tensor,
    samples: int,
    generator: torch.Generator,
) -> Tensor:
    """The upper bound of KL(pi || p) (B,), from one action a of each state.

    Args:
        policy: pi at the states.
        behaviour: the p_k and their encoders q_k.
        states: (B, S), as the behaviour takes them.
        samples: latents z for that action.
        generator: of both.
    """
    actions = policy.mean + policy.std * normal(policy.mean.shape, generator)
    mean, std = behaviour.encode(states[None], actions[None])
    noise = normal((samples, *mean.shape[1:]), generator)
    latents = mean.unsqueeze(1) + std.unsqueeze(1) * noise
    made, log_std = behaviour.decode(states[None, None], latents)
    apart = analytic_kl(policy, DiagonalGaussian(made, log_std.exp()))
    return (apart.mean(1) + kl_to_unit(mean, std).sum(-1)).mean(0)


@torch.no_grad()
def draws(
    behaviour: CVAEEnsemble, states: Tensor, samples: int, generator: torch.Generator
) -> Tensor:
    """Actions before their tanh (N K, B, A) at states (B, S): N of each of the K members."""
    shape = (1, samples, len(states), behaviour.latent_dim)
    mean, log_std = behaviour.decode(states[None, None], normal(shape, generator))
    return (mean + log_std.exp() * normal(mean.shape, generator)).flatten(0, 1)
