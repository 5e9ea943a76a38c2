"""K networks of one shape that see and say what they do in deviations of the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import torch
from nppac_priors.networks.perceptrons import StackedNetworks
from torch import Tensor, nn

from nppac_agents.parts.standardiser import Standardiser

LEAST_SCALE = 1e-5
"""Outcomes that vary less are not brought to one scale: they are rounding errors"""


class StandardisedEnsemble(nn.Module):
    """The networks' weights, stacked along a first dimension, and the scales of the data.

    Args:
        networks: from inputs to what is made of `outcomes`.
        inputs: the data's (N, I), by which inputs are measured.
        outcomes: (N, O), by which outcomes are.
        activation: between layers.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        networks: StackedNetworks,
        inputs: Tensor,
        outcomes: Tensor,
        activation: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.activation = activation
        self.weights = nn.ParameterList(networks.weights)
        self.biases = nn.ParameterList(networks.biases)
        self.standardiser = Standardiser(inputs.shape[1], inputs)
        deviation = outcomes.std(0, correction=0)
        self.register_buffer("shift", outcomes.mean(0))
        self.register_buffer("scale", torch.where(deviation > LEAST_SCALE, deviation, 1.0))

    def outputs(self, inputs: Tensor, members: Tensor | None = None) -> Tensor:
        """What the last layers give (K, B, ...), for inputs (B, I) or (K, B, I).

        Args:
            inputs: as the data's.
            members: indices (K,) of those that are asked; all of them by default.
        """
        asked = [
            tuple(p if members is None else p[members] for p in of)
            for of in (self.weights, self.biases)
        ]
        return StackedNetworks(*asked).outputs(
            self.standardiser(inputs), activation=self.activation
        )


class Regressors(StandardisedEnsemble):
    """K regressions on the same outcomes; `net(a, b, ...)` are their answers (K, B, O)."""

    @classmethod
    def draw(
        cls,
        members: int,
        hidden: Sequence[int],
        inputs: Tensor,
        outcomes: Tensor,
        generator: torch.Generator,
    ) -> Self:
        """Untrained networks with ReLU for data (N, I) and (N, O), by a CPU generator."""
        sizes = (inputs.shape[1], *hidden, outcomes.shape[1])
        networks = StackedNetworks.draw(members, sizes, generator)
        return cls(networks, inputs, outcomes, torch.relu)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Answers (K, B, O) to inputs, in their order (B, ...) for all or (K, B, ...)."""
        return self.shift + self.scale * self.outputs(torch.cat(inputs, dim=-1))

    def errors(self, *given: Tensor) -> Tensor:
        """Squared errors (K, B, O) in variances of the data, of inputs and then the outcomes.

        Args:
            given: inputs (K, B, ...), of each member, in their order; outcomes (K, B, O).
        """
        *inputs, outcomes = given
        answers = self.outputs(torch.cat(inputs, dim=-1))
        return ((outcomes - self.shift) / self.scale - answers).square()

    def loss(self, *given: Tensor) -> Tensor:
        """The members' mean squared errors, summed; `given` as for `errors`."""
        return self.errors(*given).mean((1, 2)).sum()
