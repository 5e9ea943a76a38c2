"""K Gaussian networks of one architecture, evaluated in one batched pass, and their moments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

LOG_STD_RANGE = (-20.0, 2.0)
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True, eq=False)
class StackedNetworks:
    """The weights of K networks, with a mean and a log std head as a rule.

    Attributes:
        weights: Of each layer (K, inputs, outputs); the last one has 2 A outputs.
        biases: Of each layer (K, 1, outputs).
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    @classmethod
    def draw(cls, count: int, sizes: Sequence[int], generator: torch.Generator) -> Self:
        """Networks with weights and biases uniform within 1 / sqrt(inputs), on the CPU.

        Args:
            count: K.
            sizes: Inputs, units of each hidden layer, outputs.
            generator: A CPU generator.
        """

        def uniform(inputs: int, *shape: int) -> Tensor:
            return (2 * torch.rand(count, *shape, generator=generator) - 1) / math.sqrt(inputs)

        layers = [
            (uniform(inputs, inputs, outputs), uniform(inputs, 1, outputs))
            for inputs, outputs in itertools.pairwise(sizes)
        ]
        return cls(tuple(w for w, _ in layers), tuple(b for _, b in layers))

    @property
    def count(self) -> int:
        """K."""
        return len(self.weights[0])

    @property
    def tensors(self) -> list[Tensor]:
        """Weights, then biases."""
        return [*self.weights, *self.biases]

    def to(self, device: str | torch.device) -> Self:
        """The same networks on a device."""
        return type(self)(
            tuple(w.to(device) for w in self.weights), tuple(b.to(device) for b in self.biases)
        )

    def __call__(self, states: Tensor, dropout: float = 0.0) -> tuple[Tensor, Tensor]:
        """Mean and log std of the actions, each (K, B, A).

        Args:
            states: (B, S) for all networks, or (K, B, S).
            dropout: Share of the hidden units that are left out, drawn anew for every state from
                the global generator.
        """
        mean, log_std = self.outputs(states, dropout).chunk(2, dim=-1)
        return mean.tanh(), log_std.clamp(*LOG_STD_RANGE)

    def outputs(
        self,
        inputs: Tensor,
        dropout: float = 0.0,
        activation: Callable[[Tensor], Tensor] = functional.relu,
    ) -> Tensor:
        """What the last layer gives (K, B, outputs) for inputs (B, ...) or (K, B, ...)."""
        hidden = inputs.expand(self.count, *inputs.shape[-2:])
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias.to(hidden.dtype), hidden, weight.to(hidden.dtype))
            if layer < last:
                hidden = functional.dropout(activation(hidden), dropout, training=dropout > 0.0)
        return hidden


def gaussian_nll(actions: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Negative log-likelihood in nats, summed over the last dimension."""
    error = (actions - mean) * torch.exp(-log_std)
    return (0.5 * error.square() + log_std + _HALF_LOG_TWO_PI).sum(-1)


def gaussian_entropy(log_std: Tensor) -> Tensor:
    """Entropy in nats, summed over the last dimension."""
    return (log_std + _HALF_LOG_TWO_PI + 0.5).sum(-1)


def mixture_moments(mean: Tensor, log_std: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and std (B, A) of the even mixture of K Gaussians (K, B, A).

    Rudner et al. (2021), C.18 to C.20, by the law of total variance: the members' mean variance
    plus the variance of their means, which loses no digits where the members agree.
    """
    mixture_mean = mean.mean(0)
    variance = torch.exp(2 * log_std).mean(0) + (mean - mixture_mean).square().mean(0)
    return mixture_mean, variance.sqrt()
