"""A network, and what the prior says of a state, as a distribution over actions."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nppac_priors.deployed.actor import Actor, Normal
from nppac_priors.deployed.network import Shapes, network, network_shapes
from nppac_priors.deployed.prior_scale import scaled
from nppac_priors.deployed.spec import ActorSpec
from nppac_priors.deployed.squashing import squashed_prior


class NetworkActor(Actor):
    """The forms of `ActorSpec`."""

    spec: ActorSpec

    @property
    def needs_prior(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether it is residual."""
        return self.spec.form == "residual"

    @property
    def mode_needs_std(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether a squashed mean or a bound is made of it."""
        return self.needs_prior and (self.spec.squash or self.spec.trust_width is not None)

    def shapes(self, tensors: Mapping[str, Tensor], state_dim: int, action_dim: int) -> Shapes:
        """Of the network, and of what its form has beside it."""
        spec = self.spec
        width = 2 * action_dim if spec.form in ("gaussian", "residual") else action_dim
        wanted = network_shapes(spec, tensors, state_dim, width)
        if spec.form == "constant-std":
            wanted["std"] = (action_dim,)
            if spec.affine:
                wanted |= {"action_shift": (action_dim,), "action_scale": (action_dim,)}
        if spec.trust_width is not None:
            wanted["std_on_data"] = (action_dim,)
        return wanted

    def __call__(
        self, states: Tensor, prior_mean: Tensor | None = None, prior_std: Tensor | None = None
    ) -> Normal:
        """The distribution at states (B, S)."""
        spec, outputs = self.spec, network(self.spec, self.tensors, states)
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
