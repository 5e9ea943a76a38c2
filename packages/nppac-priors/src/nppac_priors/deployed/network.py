"""A perceptron of an exported policy, as a pure function of named tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from nppac_priors.deployed.spec import NetworkSpec
from nppac_priors.errors import PolicyFileError

_CLIP = 10.0
_EPSILON = 1e-5
"""Of the normalisation of layers."""

Shapes = dict[str, tuple[int, ...]]
"""The shape of every tensor, by name."""


def network(
    spec: NetworkSpec,
    tensors: Mapping[str, Tensor],
    states: Tensor,
    beside: Tensor | None = None,
    *,
    prefix: str = "",
) -> Tensor:
    """The last layer (..., out) at states (..., S), with what is laid beside them (..., X)."""
    named = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    hidden = states.to(named["weight_0"].dtype)
    if spec.standardised:
        hidden = ((hidden - named["shift"]) / named["scale"]).clamp(-_CLIP, _CLIP)
    if beside is not None:
        hidden = torch.cat([hidden, beside], dim=-1)
    between = torch.relu if spec.activation == "relu" else torch.tanh
    for layer in range(spec.layers):
        weight, bias = named[f"weight_{layer}"], named[f"bias_{layer}"]
        if layer + 1 == spec.layers:
            hidden = F.linear(hidden, weight, bias)
        elif spec.layer_norm:
            gain = named[f"gain_{layer}"]
            normal = F.layer_norm(F.linear(hidden, weight), gain.shape, gain, bias, _EPSILON)
            hidden = between(normal)
        else:
            hidden = between(F.linear(hidden, weight, bias))
    return hidden


def network_shapes(
    spec: NetworkSpec,
    tensors: Mapping[str, Tensor],
    state_dim: int,
    width: int,
    *,
    beside: int = 0,
    prefix: str = "",
) -> Shapes:
    """What a network's tensors have to be; hidden widths are those of the biases that are there."""
    biases = [tensors.get(f"{prefix}bias_{layer}") for layer in range(spec.layers - 1)]
    hidden = [0 if bias is None or bias.ndim != 1 else len(bias) for bias in biases]
    sizes = [state_dim + beside, *hidden, width]
    wanted: Shapes = {}
    for layer in range(spec.layers):
        wanted[f"{prefix}weight_{layer}"] = sizes[layer + 1], sizes[layer]
        wanted[f"{prefix}bias_{layer}"] = (sizes[layer + 1],)
        if spec.layer_norm and layer + 1 < spec.layers:
            wanted[f"{prefix}gain_{layer}"] = (sizes[layer + 1],)
    if spec.standardised:
        wanted |= {f"{prefix}shift": (state_dim,), f"{prefix}scale": (state_dim,)}
    return wanted


def checked(tensors: Mapping[str, Tensor], wanted: Shapes) -> dict[str, Tensor]:
    """The tensors of these names.

    Raises:
        PolicyFileError: One is missing, of another shape, or not finite.
    """
    for name, shape in wanted.items():
        if name not in tensors:
            raise PolicyFileError(f"policy: tensor {name!r} is missing")
        found = tensors[name]
        if tuple(found.shape) != shape or not found.is_floating_point():
            raise PolicyFileError(
                f"policy: tensor {name!r} is {found.dtype} of shape {tuple(found.shape)}, has to "
                f"hold real numbers of shape {shape}"
            )
        if not torch.isfinite(found).all():
            raise PolicyFileError(f"policy: tensor {name!r} is not finite")
    return {name: tensors[name] for name in wanted}
