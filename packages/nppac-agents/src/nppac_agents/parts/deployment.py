"""Networks as an export names them: the fields of their spec, and their tensors."""

from __future__ import annotations

from typing import Any

import torch
from nppac_priors.deployed.spec import ActorSpec
from nppac_priors.errors import ConfigError
from torch import Tensor

from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.standardiser import Standardiser

Deployed = tuple[ActorSpec, dict[str, Tensor]]
"""How a policy acts, and with which tensors; `nppac_priors.deployed.actor` does it"""

_ACTIVATIONS: dict[Any, str] = {torch.relu_: "relu", torch.tanh_: "tanh"}


def network(body: MLP, standardiser: Standardiser) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The fields `layers`, `activation` and `standardised`, and the tensors that belong to them.

    Raises:
        ConfigError: an activation that exports do not know.
    """
    if body.activation not in _ACTIVATIONS:
        raise ConfigError(f"export: a network with activation {body.activation} cannot be exported")
    fields: dict[str, Any] = {
        "layers": len(body.layers),
        "activation": _ACTIVATIONS[body.activation],
        "standardised": standardiser.active,
    }
    tensors: dict[str, Tensor] = {}
    for number, layer in enumerate(body.layers):
        tensors[f"weight_{number}"] = layer.weight.detach()  # pyright: ignore[reportCallIssue]
        tensors[f"bias_{number}"] = layer.bias.detach()  # pyright: ignore[reportCallIssue]
    if standardiser.active:
        tensors |= {"shift": standardiser.shift, "scale": standardiser.scale}
    return fields, tensors
