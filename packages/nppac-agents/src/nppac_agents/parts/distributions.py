"""The two action distributions of a policy, as plain tensors that cost nothing to build.

`DiagonalGaussian` is the hand tasks' policy: its samples are not bounded, the environment clips
them. `SquashedGaussian` is a Gaussian through tanh, with samples in (-1, 1). Log-densities are of
the action as it is stored and as the prior sees it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

LOG_SQRT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
EDGE = 1.0 - 1e-5
"""Squashed actions are clipped to +-this before atanh: demonstrated ones lie on the edge."""


@dataclass(frozen=True, slots=True)
class _MeanAndStd:
    mean: Tensor
    std: Tensor

    def repeated(self, size: int) -> Self:
        """The same distribution `size` times: samples (N, B, A), log-densities (N, B)."""
        return type(self)(*(x.expand(size, *x.shape) for x in (self.mean, self.std)))


@dataclass(frozen=True, slots=True)
class DiagonalGaussian(_MeanAndStd):
    """Independent normals with mean (B, A) and standard deviation (B, A), unbounded.

    A policy's distribution, and the prior's at the same states.
    """

    def sample(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A reparameterised action (B, A) and its log-density (B,)."""
        return _draw(self.mean, self.std, generator)

    def log_prob(self, actions: Tensor) -> Tensor:
        """Log-density (B,) of actions (B, A)."""
        return gaussian_log_prob(actions, self.mean, self.std)

    def mode(self) -> Tensor:
        """The action (B, A) of highest density."""
        return self.mean


@dataclass(frozen=True, slots=True)
class SquashedGaussian(_MeanAndStd):
    """tanh of independent normals; `mean` and `std` (B, A) are those before the tanh."""

    def sample(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A reparameterised action (B, A) in (-1, 1) and its log-density (B,)."""
        raw, log_prob = _draw(self.mean, self.std, generator)
        return raw.tanh(), log_prob - _log_slope(raw)

    def log_prob(self, actions: Tensor) -> Tensor:
        """Log-density (B,) of actions (B, A), those on the edge of [-1, 1] taken just inside."""
        raw = actions.clamp(-EDGE, EDGE).atanh()
        return gaussian_log_prob(raw, self.mean, self.std) - _log_slope(raw)

    def mode(self) -> Tensor:
        """The squashed mean (B, A), the deterministic action of the literature."""
        return self.mean.tanh()


ActionDistribution = DiagonalGaussian | SquashedGaussian


def gaussian_log_prob(actions: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Log-density (B,) of actions (B, A) under normals with standard deviation `std` (B, A)."""
    whitened = (actions - mean) / std
    return _log_density(whitened, std)


def _draw(mean: Tensor, std: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A reparameterised sample (B, A) of independent normals and its log-density (B,)."""
    noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
    return torch.addcmul(mean, std, noise), _log_density(noise, std)


def _log_density(whitened: Tensor, std: Tensor) -> Tensor:
    """Log-density (B,) of normals where (a - mean) / std is `whitened` (B, A)."""
    terms = torch.addcmul(std.log(), whitened, whitened, value=0.5).sum(-1)
    return -LOG_SQRT_TWO_PI * whitened.shape[-1] - terms


def _log_slope(raw: Tensor) -> Tensor:
    """Log of the slope of tanh, 1 - tanh(x)^2 multiplied over the actions, (B,), at x (B, A).

    Stable for every x; softplus would cost ten times as much.
    """
    size = raw.abs()
    terms = (size + (-2.0 * size).exp().log1p()).sum(-1)
    return 2.0 * math.log(2.0) * raw.shape[-1] - 2.0 * terms
