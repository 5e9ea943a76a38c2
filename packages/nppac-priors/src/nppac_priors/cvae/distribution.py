"""The distribution over actions of conditional VAEs at given states."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.types import _size

from nppac_priors.cvae.ensemble import CVAEEnsemble

_EMPTY = torch.Size()


class CVAEMixture(Distribution):
    """The even mixture of K conditional VAEs: a density that is estimated, and exact draws.

    The estimate uses the same latent noise at every call, so that it is a function of the action,
    with its gradient.

    Args:
        models: K conditional VAEs of the states as they are given here.
        states: (B, S).
        noise: Standard normal (L, Z), which the estimate draws its latents with.
        action_dim: A.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}  # pyright: ignore[reportIncompatibleMethodOverride]
    support = constraints.real_vector  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]

    def __init__(
        self, models: CVAEEnsemble, states: Tensor, noise: Tensor, action_dim: int
    ) -> None:
        super().__init__(states.shape[:1], torch.Size([action_dim]), validate_args=False)
        self._models = models
        self._states = states
        self._noise = noise

    @torch.no_grad()
    def sample(self, sample_shape: _size = _EMPTY) -> Tensor:
        """Actions (*sample_shape, B, A), from the global generator; each draws its model too."""
        shape = (*sample_shape, *self.batch_shape)
        states = self._states.expand(*shape, -1)
        latents = states.new_empty(1, *shape, self._models.latent_dim).normal_()
        mean, log_std = self._models.decode(states[None], latents)
        members = torch.randint(len(mean), (1, *shape, 1), device=states.device)
        chosen = members.expand(1, *mean.shape[1:])
        mean, log_std = (moment.gather(0, chosen).squeeze(0) for moment in (mean, log_std))
        return mean + log_std.exp() * torch.randn_like(mean)

    def log_prob(self, value: Tensor) -> Tensor:
        """Estimated log-density (..., B) of actions (..., B, A); see `log_density`."""
        states = self._states.expand(*value.shape[:-1], -1)
        noise = self._noise.reshape(len(self._noise), *[1] * (value.ndim - 1), -1)
        return self._models.log_density(states, value, noise)
