"""What an exported policy does at a state: the base of its two forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nppac_priors.deployed.network import Shapes, checked
from nppac_priors.deployed.squashing import squashed_moments


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


class Actor(ABC):
    """A policy as a pure function of tensors.

    Args:
        spec: Its form.
        tensors: By name; `shapes` says which.
        state_dim: S.
        action_dim: A.

    Raises:
        PolicyFileError: A tensor is missing, of another shape, or not finite.
    """

    needs_prior: bool = False
    """Whether it reads the prior's mean at all"""
    mode_needs_std: bool = False
    """Whether its deterministic action reads the prior's standard deviation too"""

    def __init__(
        self, spec: Any, tensors: Mapping[str, Tensor], state_dim: int, action_dim: int
    ) -> None:
        """Keep the tensors, checked."""
        self.spec = spec
        self.tensors = checked(tensors, self.shapes(tensors, state_dim, action_dim))

    @property
    def device(self) -> torch.device:
        """Where it acts."""
        return next(iter(self.tensors.values())).device

    def to(
        self, device: str | torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Actor:
        """The same on a device, or in another precision."""
        moved = copy(self)
        moved.tensors = {k: v.to(device=device, dtype=dtype) for k, v in self.tensors.items()}
        return moved

    @abstractmethod
    def shapes(self, tensors: Mapping[str, Tensor], state_dim: int, action_dim: int) -> Shapes:
        """What its tensors have to be; hidden widths are those of the ones that are there."""

    @abstractmethod
    def __call__(
        self, states: Tensor, prior_mean: Tensor | None = None, prior_std: Tensor | None = None
    ) -> Normal:
        """The distribution at states (B, S), with the prior's moments (B, A) where it needs them.

        Without `prior_std` where that is needed only for the spread, the std is meaningless.
        """
