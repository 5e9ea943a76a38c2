"""Networks as an export names them: the fields of their spec, and their tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from nppac_priors.deployed.spec import ActorSpec, ChoiceSpec
from nppac_priors.errors import ConfigError
from torch import Tensor

from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.standardiser import Standardiser

Deployed = tuple[ActorSpec | ChoiceSpec, dict[str, Tensor]]
"""How a policy acts, and with which tensors; `nppac_priors.deployed.actors` does it"""
Network = tuple[dict[str, Any], dict[str, Tensor]]
"""The fields of a `NetworkSpec`, and its tensors"""

_ACTIVATIONS: dict[Any, str] = {torch.relu_: "relu", torch.tanh_: "tanh"}


def network(body: MLP, standardiser: Standardiser) -> Network:
    """A perceptron behind its input layer.

    Raises:
        ConfigError: an activation that exports do not know.
    """
    if body.activation not in _ACTIVATIONS:
        raise ConfigError(f"export: a network with activation {body.activation} cannot be exported")
    layers: list[Any] = list(body.layers)
    pairs = [(layer.weight, layer.bias) for layer in layers]
    return network_of(pairs, standardiser, _ACTIVATIONS[body.activation])


def network_of(
    layers: Sequence[tuple[Tensor, Tensor]], standardiser: Standardiser, activation: str
) -> Network:
    """Linear layers by their weights (out, in) and biases (out,)."""
    active = standardiser.active
    fields = {"layers": len(layers), "activation": activation, "standardised": active}
    tensors: dict[str, Tensor] = {}
    for number, (weight, bias) in enumerate(layers):
        tensors |= {f"weight_{number}": weight.detach(), f"bias_{number}": bias.detach()}
    if active:
        tensors |= {"shift": standardiser.shift, "scale": standardiser.scale}
    return fields, tensors
