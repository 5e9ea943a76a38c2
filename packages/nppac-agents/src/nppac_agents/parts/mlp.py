"""A multilayer perceptron with the initial weights of every network here.

Hidden layers start fan-in uniform with bias 0.1 and the last layer close to zero, as in the
published N-PPAC code. Every initial weight comes from the generator that is passed in.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nppac_agents.parts.perceptrons import Cutting, Layer, perceptrons

HIDDEN_BIAS = 0.1


class MLP(nn.Module):
    """Perceptron; last weights uniform in +-`output_bound`, `activation` between layers."""

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        output_bound: float,
        activation: Callable[[Tensor], Tensor] = torch.relu_,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.output_dim = sizes[-1]
        layers = [nn.Linear(*fans) for fans in itertools.pairwise(sizes)]
        for layer in layers:
            bound = 1.0 / math.sqrt(layer.in_features)
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.constant_(layer.bias, HIDDEN_BIAS)
        last = layers[-1]
        nn.init.uniform_(last.weight, -output_bound, output_bound, generator=generator)
        nn.init.zeros_(last.bias)
        self.layers = nn.ModuleList(layers)
        self.cutting = Cutting(list(self.parameters()), _layers)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, sizes[0]) to (B, sizes[-1])."""
        if self.activation is torch.relu_ and not inputs.is_cuda:
            rows = inputs if inputs.dim() == 2 else inputs.flatten(0, -2)
            outputs = perceptrons(rows, self.cutting, stacked=False)
            return outputs.view(*inputs.shape[:-1], self.output_dim)
        hidden = inputs
        for layer in self.layers[:-1]:
            hidden = self.activation(layer(hidden))
        return self.layers[-1](hidden)


def _layers(parameters: Sequence[Tensor]) -> list[list[Layer]]:
    """Weights (out, in) and biases of linear layers in turns, as the one member they are."""
    pairs = zip(parameters[::2], parameters[1::2], strict=True)
    return [[Layer(weight.t(), bias) for weight, bias in pairs]]
