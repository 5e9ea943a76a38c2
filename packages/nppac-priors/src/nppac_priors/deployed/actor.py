"""The network of an exported policy: states, and what the prior says of them, to a distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from nppac_priors.deployed.prior_scale import scaled
from nppac_priors.deployed.spec import ActorSpec
from nppac_priors.deployed.squashing import squashed_moments, squashed_prior
from nppac_priors.errors import PolicyFileError

_CLIP = 10.0


class Normal(NamedTuple):
    """Independent normals (B, A), through a tanh if squashed; std zero without a distribution."""

    mean: Tensor
    std: Tensor
    squashed: bool

    def mode(self) -> Tensor:
        """The deterministic action (B, A), not clipped."""
        return self.mean.tanh() if self.squashed else self.mean

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, A) of the actions."""
        return squashed_moments(self.mean, self.std) if self.squashed else (self.mean, self.std)


class Actor:
    """A policy as a pure function of tensors.

    Args:
        spec: Its form.
        tensors: By name; `shapes` says which.
        state_dim: S.
        action_dim: A.

    Raises:
        PolicyFileError: A tensor is missing, of another shape, or not finite.
    """

    def __init__(
        self, spec: ActorSpec, tensors: Mapping[str, Tensor], state_dim: int, action_dim: int
    ) -> None:
        """Keep the tensors, checked."""
        self.spec = spec
        self.tensors = _checked(spec, tensors, state_dim, action_dim)

    @property
    def needs_prior(self) -> bool:
        """Whether it reads the prior's mean at all."""
        return self.spec.form == "residual"

    @property
    def mode_needs_std(self) -> bool:
        """Whether its deterministic action reads the prior's standard deviation too."""
        return self.needs_prior and (self.spec.squash or self.spec.trust_width is not None)

    def to(
        self, device: str | torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Actor:
        """The same on a device, or in another precision."""
        copy = object.__new__(type(self))
        copy.spec = self.spec
        copy.tensors = {k: v.to(device=device, dtype=dtype) for k, v in self.tensors.items()}
        return copy

    def __call__(
        self, states: Tensor, prior_mean: Tensor | None = None, prior_std: Tensor | None = None
    ) -> Normal:
        """The distribution at states (B, S), with the prior's moments (B, A) where it needs them.

        Without `prior_std` where that is needed only for the spread, the std is meaningless.
        """
        outputs = self._network(states)
        spec = self.spec
        if spec.form == "deterministic":
            mean = outputs.tanh()
            return Normal(mean, torch.zeros_like(mean), False)
        if spec.form == "constant-std":
            mean = outputs.tanh()
            if spec.affine:
                mean = outputs * self.tensors["action_scale"] + self.tensors["action_shift"]
            return Normal(mean, self.tensors["std"].expand_as(mean), False)
        shift, log_scale = outputs.chunk(2, dim=-1)
        assert spec.log_range is not None
        scale = log_scale.clamp(*spec.log_range).exp()
        if spec.form == "gaussian":
            return Normal(shift if spec.squash else shift.tanh(), scale, spec.squash)
        assert prior_mean is not None
        return self._residual(shift, scale, prior_mean, prior_std)

    def _residual(
        self, shift: Tensor, ratio: Tensor, mean: Tensor, prior_std: Tensor | None
    ) -> Normal:
        std = torch.ones_like(mean) if prior_std is None else prior_std
        mean, std = mean.to(shift.dtype), std.to(shift.dtype)
        std = scaled(std, self.spec.prior_scale)
        if self.spec.trust_width is not None:
            width = self.spec.trust_width
            shift = width * std.minimum(self.tensors["std_on_data"]) * (shift / width).tanh()
        if self.spec.squash:
            mean, std = squashed_prior(mean, std)
        return Normal(mean + shift, std * ratio, self.spec.squash)

    def _network(self, states: Tensor) -> Tensor:
        hidden = states.to(self.tensors["weight_0"].dtype)
        if self.spec.standardised:
            hidden = (hidden - self.tensors["shift"]) / self.tensors["scale"]
            hidden = hidden.clamp(-_CLIP, _CLIP)
        between = torch.relu if self.spec.activation == "relu" else torch.tanh
        for layer in range(self.spec.layers):
            weight, bias = self.tensors[f"weight_{layer}"], self.tensors[f"bias_{layer}"]
            hidden = torch.nn.functional.linear(hidden, weight, bias)
            hidden = between(hidden) if layer + 1 < self.spec.layers else hidden
        return hidden


def shapes(
    spec: ActorSpec, hidden: list[int], state_dim: int, action_dim: int
) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of an actor, by name, with these hidden widths."""
    width = 2 * action_dim if spec.form in ("gaussian", "residual") else action_dim
    sizes = [state_dim, *hidden, width]
    wanted: dict[str, tuple[int, ...]] = {}
    for layer in range(spec.layers):
        wanted[f"weight_{layer}"] = sizes[layer + 1], sizes[layer]
        wanted[f"bias_{layer}"] = (sizes[layer + 1],)
    if spec.standardised:
        wanted |= {"shift": (state_dim,), "scale": (state_dim,)}
    if spec.form == "constant-std":
        wanted["std"] = (action_dim,)
        if spec.affine:
            wanted |= {"action_shift": (action_dim,), "action_scale": (action_dim,)}
    if spec.trust_width is not None:
        wanted["std_on_data"] = (action_dim,)
    return wanted


def _checked(
    spec: ActorSpec, tensors: Mapping[str, Tensor], state_dim: int, action_dim: int
) -> dict[str, Tensor]:
    biases = [tensors.get(f"bias_{layer}") for layer in range(spec.layers - 1)]
    hidden = [0 if bias is None or bias.ndim != 1 else len(bias) for bias in biases]
    wanted = shapes(spec, hidden, state_dim, action_dim)
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
