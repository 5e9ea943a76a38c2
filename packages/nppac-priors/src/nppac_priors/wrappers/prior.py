"""Fitted priors that change the standard deviation of other fitted priors."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from nppac_priors.errors import ConfigError, DataError
from nppac_priors.prior import GaussianPrior, Prior
from nppac_priors.wrappers.config import (
    ConstantVarianceConfig,
    MeanAndScaleConfig,
    VarianceFloorConfig,
    not_gaussian,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nppac_priors.demonstrated import Demonstrated
    from nppac_priors.wrappers.config import WrapperConfig


class WrapperPrior(GaussianPrior):
    """What all wrappers share: their tensors are those of their parts, and so is their device.

    `moments` asks the parts through their checked doors, so that a part's fault bears its name.

    Attributes:
        parts: The wrapped priors, by the name of their field in the config.
    """

    config: WrapperConfig

    def __init__(
        self, cls: type[WrapperConfig], parts: Mapping[str, Prior], **settings: Any
    ) -> None:
        """Wrap priors that agree in dimensions and device.

        Args:
            cls: Class of the config.
            parts: The priors, by the names of their fields in it.
            **settings: Its other fields.

        Raises:
            ConfigError: One of them is not Gaussian.
            DataError: They do not agree.
        """
        kind = cls.model_fields["kind"].default
        self.parts = {name: _gaussian(kind, prior) for name, prior in parts.items()}
        config = cls(**{name: prior.config for name, prior in parts.items()}, **settings)
        shapes = {(p.state_dim, p.action_dim, str(p.device)) for p in self.parts.values()}
        if len(shapes) > 1:
            raise DataError(
                f"{config.kind}: its priors need the same state and action dimensions and device, "
                f"got {sorted(shapes)}"
            )
        first = next(iter(self.parts.values()))
        super().__init__(
            config,
            state_dim=first.state_dim,
            action_dim=first.action_dim,
            data_hash=_joint_hash([prior.data_hash for prior in self.parts.values()]),
        )

    @property
    def device(self) -> torch.device:
        """Where the wrapped priors compute."""
        return next(iter(self.parts.values())).device

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        """The tensors of the wrapped priors, as `part/tensor`."""
        return {
            f"{part}/{name}": tensor
            for part, prior in self.parts.items()
            for name, tensor in prior.state(include_factors=include_factors).items()
        }

    def reuse(self, other: Prior) -> None:
        """Part by part."""
        if isinstance(other, WrapperPrior):
            for name in self.parts.keys() & other.parts.keys():
                self.parts[name].reuse(other.parts[name])

    def _to(self, device: torch.device) -> Self:
        copy = self.config.wrap({name: prior.to(device) for name, prior in self.parts.items()})
        copy.data_hash = self.data_hash
        assert isinstance(copy, type(self))
        return copy


class VarianceFloor(WrapperPrior):
    """A prior whose standard deviation is nowhere below `min_std`."""

    def __init__(self, prior: Prior, min_std: float) -> None:
        """Give a fitted prior a floor, in action units."""
        super().__init__(VarianceFloorConfig, {"prior": prior}, min_std=min_std)
        self._min_std = min_std

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `GaussianPrior.tensors`."""
        return self._floored(*self.parts["prior"].tensors(states))

    def _moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        return self._floored(*self.parts["prior"].moments(states))

    def _floored(self, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
        return mean, std.clamp(min=self._min_std)

    def _left_out_std(self, seen: Demonstrated) -> Tensor:
        return self.parts["prior"]._left_out_std(seen).clamp(min=self._min_std)

    def _mean(self, states: Tensor) -> Tensor:
        return self.parts["prior"].mean(states)


class ConstantVariance(WrapperPrior):
    """A prior's mean with the standard deviation `std` everywhere."""

    def __init__(self, prior: Prior, std: float) -> None:
        """Replace the standard deviation of a fitted prior, in action units."""
        super().__init__(ConstantVarianceConfig, {"prior": prior}, std=std)
        self._std = std

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `GaussianPrior.tensors`."""
        return self._around(self.parts["prior"].tensors(states)[0])

    def _moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        return self._around(self.parts["prior"].mean(states))

    def _around(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        return mean, torch.full_like(mean, self._std)

    def _left_out_std(self, seen: Demonstrated) -> Tensor:
        return torch.full_like(seen.actions, self._std)

    def _mean(self, states: Tensor) -> Tensor:
        return self.parts["prior"].mean(states)


class MeanAndScale(WrapperPrior):
    """The mean of one prior with the standard deviation of another."""

    def __init__(self, *, mean: Prior, scale: Prior) -> None:
        """Put two fitted priors of the same dimensions together."""
        super().__init__(MeanAndScaleConfig, {"mean": mean, "scale": scale})

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `GaussianPrior.tensors`."""
        return self.parts["mean"].tensors(states)[0], self.parts["scale"].tensors(states)[1]

    def _moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        return self.parts["mean"].mean(states), self.parts["scale"].moments(states)[1]

    def _left_out_std(self, seen: Demonstrated) -> Tensor:
        return self.parts["scale"]._left_out_std(seen)

    def _mean(self, states: Tensor) -> Tensor:
        return self.parts["mean"].mean(states)


def _gaussian(kind: str, prior: Prior) -> GaussianPrior:
    if not isinstance(prior, GaussianPrior):
        raise ConfigError(not_gaussian(kind, prior.config.kind))
    return prior


def _joint_hash(hashes: list[str]) -> str:
    """The hash that all have, or that of all different ones."""
    if len(set(hashes)) == 1:
        return hashes[0]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()
