"""A policy without a distribution (TD3 and what builds on it)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from nppac_priors.deployed.spec import ActorSpec
from torch import Tensor, nn

from nppac_agents.parts.deployment import Deployed, network
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.policy_network import POLICY_OUTPUT_BOUND
from nppac_agents.parts.standardiser import Standardiser


class DeterministicPolicy(nn.Module):
    """The action tanh(network(s))."""

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        hidden: Sequence[int],
        *,
        standardiser: Standardiser,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.standardiser = standardiser
        sizes = (state_dim, *hidden, action_dim)
        self.body = MLP(sizes, output_bound=POLICY_OUTPUT_BOUND, generator=generator)

    def forward(self, states: Tensor) -> Tensor:
        """Actions (B, A) at states (B, S)."""
        return self.body(self.standardiser(states)).tanh()

    def deployed(self) -> Deployed:
        """What acts, for an export."""
        fields, tensors = network(self.body, self.standardiser)
        return ActorSpec(form="deterministic", **fields), tensors
