"""The Gaussian policy of DAPG: a tanh network between standardised states and actions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from nppac_priors.deployed.spec import ActorSpec
from torch import Tensor, nn

from nppac_agents.parts.deployment import Deployed, network
from nppac_agents.parts.distributions import DiagonalGaussian
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.policy_network import POLICY_OUTPUT_BOUND
from nppac_agents.parts.standardiser import Standardiser


class StandardisedPolicy(nn.Module):
    """Mean: a tanh network in units of the demonstrations; one log std per action dimension.

    Untrained it is nearly the demonstrated actions' own normal: their mean, their standard
    deviation. Source: the released code of Rajeswaran et al. 2018.

    Args:
        states: (N, S), whose mean and deviation standardise the input.
        actions: (N, A), whose mean and deviation scale the output.
        hidden: widths.
        lowest_log_std: where the log standard deviation starts at least.
        generator: of the initial weights.
    """

    action_shift: Tensor
    action_scale: Tensor

    def __init__(
        self,
        states: Tensor,
        actions: Tensor,
        hidden: Sequence[int],
        *,
        lowest_log_std: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        state_dim, action_dim = states.shape[1], actions.shape[1]
        self.standardiser = Standardiser(state_dim, states)
        self.body = MLP(
            (state_dim, *hidden, action_dim),
            output_bound=POLICY_OUTPUT_BOUND,
            activation=torch.tanh_,
            generator=generator,
        )
        deviation = actions.std(0, unbiased=False)
        self.register_buffer("action_shift", actions.mean(0))
        self.register_buffer("action_scale", deviation)
        self.log_std = nn.Parameter(deviation.log().clamp(min=lowest_log_std))

    def forward(self, states: Tensor) -> DiagonalGaussian:
        """The distribution over actions at states (B, S)."""
        mean = self.mode(states)
        return DiagonalGaussian(mean, self.log_std.exp().expand_as(mean))

    def mode(self, states: Tensor) -> Tensor:
        """The mean (B, A)."""
        return self.body(self.standardiser(states)) * self.action_scale + self.action_shift

    def deployed(self) -> Deployed:
        """What acts, for an export."""
        fields, tensors = network(self.body, self.standardiser)
        tensors |= {"action_shift": self.action_shift, "action_scale": self.action_scale}
        spec = ActorSpec(form="constant-std", affine=True, **fields)
        return spec, tensors | {"std": self.log_std.exp().detach()}
