"""A critic that tells two sets of actions apart, with slopes up to one: Wasserstein's dual form."""

from __future__ import annotations

import torch
from torch import Tensor

from nppac_agents.parts.critics import Critics
from nppac_agents.parts.slopes import action_slopes
from nppac_agents.parts.tensors import uniform

SLOPE_PENALTY = 5.0


class Discriminator(Critics):
    """c(s, a), one critic; see Gulrajani et al. 2017 and, for policies, Wu et al. 2019."""

    def difference(self, states: Tensor, actions: Tensor, others: Tensor) -> Tensor:
        """mean_n c(s, a_n) - mean_n c(s, b_n), (B,), of actions (N, B, A) each."""
        return (self(states, actions) - self(states, others))[0].mean(0)

    def ascend(
        self, states: Tensor, actions: Tensor, others: Tensor, generator: torch.Generator
    ) -> Tensor:
        """One step on the difference less 5 mean relu(|grad_a c| - 1)^2 between both, as a loss."""
        share = uniform(actions.shape[:-1], generator).unsqueeze(-1)
        between = share * actions + (1.0 - share) * others
        steep = (action_slopes(self, states, between) - 1.0).relu().square().mean()
        loss = SLOPE_PENALTY * steep - self.difference(states, actions, others).mean()
        self.descend(loss)
        return loss
