"""Critics Q_e(s, a), stacked into one network, with their slow copies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nppac_agents.parts.clamp import inward_clamp
from nppac_agents.parts.mlp import HIDDEN_BIAS
from nppac_agents.parts.part import Part
from nppac_agents.parts.perceptrons import Cutting, Layer, perceptrons, plain
from nppac_agents.parts.standardiser import Standardiser

CRITIC_OUTPUT_BOUND = 3e-3


class Critics(Part):
    """An ensemble, its optimizer and the slow copy that targets are computed with.

    `critic(states, actions)` and `critic.slow(states, actions)` are values (E, B), in units of
    `unit`: 1, or the largest reward that `in_units` has seen.
    """

    unit: Tensor

    def __init__(self, ensemble: CriticEnsemble, rate: float) -> None:
        super().__init__(ensemble, rate, slow=True)
        self.n_critics = len(ensemble.biases[0])
        self.register_buffer("unit", torch.ones(()))
        self.register_buffer("measured", torch.zeros((), dtype=torch.bool))

    def frozen(self, states: Tensor, actions: Tensor) -> Tensor:
        """The same values (E, B), whose gradient reaches the actions alone, not the weights."""
        return self.net(states, actions, frozen=True)

    @torch.no_grad()
    def in_units(self, rewards: Tensor, steps: float = 1.0) -> Tensor:
        """Rewards (B,) over the largest absolute one so far, a step, where they add up `steps`.

        When a larger one comes, the last layers are scaled so that values stay what they were (van
        Hasselt et al. 2016, "Learning values across many orders of magnitude").
        """
        largest = rewards.abs().max() / steps
        unit = torch.where(self.measured, self.unit.maximum(largest), largest)
        unit = torch.where(unit > 0, unit, self.unit)
        kept = torch.where(self.measured, self.unit / unit, 1.0)
        for ensemble in (self.net, self.slow):
            ensemble.weights[-1].mul_(kept)
            ensemble.biases[-1].mul_(kept)
        self.measured |= largest > 0
        self.unit.copy_(unit)
        return rewards / unit

    def mixed(self, states: Tensor, actions: Tensor, lowest: float) -> Tensor:
        """Lowest times min_j Qbar_j plus (1 - lowest) times max_j Qbar_j, (B,) or (N, B).

        Source: Fujimoto et al. 2019 (BCQ).
        """
        values = self.slow(states, actions)
        return lowest * values.amin(0) + (1.0 - lowest) * values.amax(0)

    def lowest(
        self, states: Tensor, actions: Tensor, subset: int, generator: torch.Generator
    ) -> Tensor:
        """The lowest slow value (B,) of a random subset of the critics, drawn anew.

        Source: Chen et al. 2021 (REDQ), Ball et al. 2023 (RLPD).
        """
        members = None if subset == self.n_critics else self.random_members(subset, generator)
        return self.slow(states, actions, members).amin(0)

    def random_members(self, size: int, generator: torch.Generator) -> Tensor:
        """Indices (size,) of distinct members."""
        order = torch.randperm(self.n_critics, generator=generator, device=generator.device)
        return order[:size]


class CriticEnsemble(nn.Module):
    """E critics Q_e(s, a) of one shape, their parameters stacked along the first dimension.

    On a CPU the critics are evaluated one after the other (two plain matrix products cost a third
    less than a batched one), on a GPU all at once.

    With `layer_norm` every hidden layer is normalised before its ReLU (Ball et al. 2023, RLPD),
    which bounds the extrapolation of Q away from the data. Values above `upper_bound` are clamped
    to it, and still learn to come down.
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        hidden: Sequence[int],
        *,
        n_critics: int,
        layer_norm: bool,
        upper_bound: float | None = None,
        standardiser: Standardiser,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.upper_bound = upper_bound
        self.standardiser = standardiser
        self.layer_norm = layer_norm
        sizes = (state_dim + action_dim, *hidden, 1)
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        self.gains = nn.ParameterList()
        for fan_in, fan_out in itertools.pairwise(sizes):
            bound = CRITIC_OUTPUT_BOUND if fan_out == 1 else 1.0 / math.sqrt(fan_in)
            bias = 0.0 if fan_out == 1 or layer_norm else HIDDEN_BIAS
            weight = torch.empty(n_critics, fan_in, fan_out)
            self.weights.append(nn.init.uniform_(weight, -bound, bound, generator=generator))
            self.biases.append(torch.full((n_critics, fan_out), bias))
            if layer_norm and fan_out > 1:
                self.gains.append(torch.ones(n_critics, fan_out))
        self.cutting = Cutting(list(self.parameters()), self._members)

    def forward(
        self,
        states: Tensor,
        actions: Tensor,
        members: Tensor | None = None,
        *,
        frozen: bool = False,
    ) -> Tensor:
        """Values (E, B) of states (B, S) and actions (B, A), of `members` only where given.

        Several actions for each state, (N, B, A), have values (E, N, B). The gradient of `frozen`
        values reaches no weight.
        """
        inputs = self.standardiser(states)
        if actions.dim() > 2:
            inputs = inputs.expand(*actions.shape[:-1], -1)
        inputs = torch.cat([inputs, actions], dim=-1)
        values = self._values(inputs.flatten(0, -2), members, frozen)
        if actions.dim() > 2:
            values = values.unflatten(1, actions.shape[:-1])
        if self.upper_bound is not None:
            values = inward_clamp(values, -math.inf, self.upper_bound)
        return values

    def _values(self, inputs: Tensor, members: Tensor | None, frozen: bool) -> Tensor:
        cutting = self.cutting
        if members is not None:
            chosen = [parameter[members] for parameter in self.parameters()]
            cutting = Cutting(chosen, self._members)
        if inputs.is_cuda:
            parameters = [p.detach() if frozen else p for p in cutting.parameters]
            return torch.vmap(self._value, (None, 0))(inputs, parameters)
        return perceptrons(inputs, cutting, stacked=True, frozen=frozen)

    def _value(self, inputs: Tensor, parameters: Sequence[Tensor]) -> Tensor:
        """Values (B,) of one critic at inputs (B, S + A)."""
        return plain(inputs, self._layers(parameters))

    def _members(self, parameters: Sequence[Tensor]) -> list[list[Layer]]:
        """For each member, its layers."""
        members = zip(*(parameter.unbind() for parameter in parameters), strict=True)
        return [self._layers(member) for member in members]

    def _layers(self, parameters: Sequence[Tensor]) -> list[Layer]:
        """Those of one member, from its weights, then its biases, then its gains."""
        depth = len(self.weights)
        gains = [*parameters[2 * depth :], *[None] * (depth - len(self.gains))]
        return list(map(Layer, parameters[:depth], parameters[depth : 2 * depth], gains))
