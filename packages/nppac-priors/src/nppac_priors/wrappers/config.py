"""Configurations of the priors that change the standard deviation of another prior."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from nppac_priors.config import PriorConfig
from nppac_priors.registry import PriorField

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch

    from nppac_priors.prior import Prior
    from nppac_priors.progress import ProgressCallback


class WrapperConfig(PriorConfig):
    """A prior made of the priors in its fields: these are fitted, then wrapped."""

    gaussian = True

    @model_validator(mode="after")
    def _wraps_gaussian_priors(self) -> Self:
        for prior in self.parts.values():
            if prior.gaussian is False:
                raise ValueError(not_gaussian(self.kind, prior.kind))
        return self

    @abstractmethod
    def wrap(self, parts: Mapping[str, Prior]) -> Prior:
        """Wrap fitted priors, given by the names of their fields.

        Raises:
            ConfigError: One of them is not Gaussian.
            DataError: They do not fit together.
        """

    @property
    def parts(self) -> dict[str, PriorConfig]:
        """The configs of the wrapped priors by field."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in values.items() if isinstance(value, PriorConfig)}

    def require_files(self) -> None:
        """Look for those of the wrapped priors."""
        for prior in self.parts.values():
            prior.require_files()

    def _fit(
        self,
        states: np.ndarray | torch.Tensor,
        actions: np.ndarray | torch.Tensor,
        *,
        episode_lengths: torch.Tensor,
        weights: torch.Tensor,
        device: torch.device,
        generator: torch.Generator,
        progress: ProgressCallback | None,
    ) -> Prior:
        given = {
            "episode_lengths": episode_lengths,
            "weights": weights,
            "device": device,
            "generator": generator,
            "progress": progress,
        }
        parts = self.parts.items()
        return self.wrap({name: config.fit(states, actions, **given) for name, config in parts})

    def from_state(
        self, tensors: dict[str, torch.Tensor], *, device: str | torch.device = "cpu"
    ) -> Prior:
        """Rebuild the wrapped priors, whose tensors are named `field/tensor`."""
        from nppac_priors.fitted import rebuilt

        def of(part: str) -> dict[str, torch.Tensor]:
            start = f"{part}/"
            return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}

        parts = self.parts.items()
        return self.wrap({name: rebuilt(c, of(name), device=device) for name, c in parts})


class VarianceFloorConfig(WrapperConfig):
    """A prior whose standard deviation is nowhere below a floor (Rudner et al. 2021)."""

    kind: Literal["variance-floor"] = "variance-floor"  # pyright: ignore[reportIncompatibleVariableOverride]
    prior: PriorField
    """The prior that gets the floor."""
    min_std: float = Field(gt=0.0)
    """Smallest standard deviation, in action units."""

    def wrap(self, parts: Mapping[str, Prior]) -> Prior:
        """Give the fitted prior the floor."""
        from nppac_priors.wrappers.prior import VarianceFloor

        return VarianceFloor(**parts, min_std=self.min_std)


class ConstantVarianceConfig(WrapperConfig):
    """A prior's mean with one standard deviation everywhere (Rudner et al. 2021, Figure 3)."""

    kind: Literal["constant-variance"] = "constant-variance"  # pyright: ignore[reportIncompatibleVariableOverride]
    prior: PriorField
    """The prior whose mean is taken."""
    std: float = Field(gt=0.0)
    """Standard deviation in action units; the paper's variances 1e-2, 5e-3 and 1e-3 are 0.1, 0.0707
    and 0.0316."""

    def wrap(self, parts: Mapping[str, Prior]) -> Prior:
        """Keep the fitted prior's mean."""
        from nppac_priors.wrappers.prior import ConstantVariance

        return ConstantVariance(**parts, std=self.std)


class MeanAndScaleConfig(WrapperConfig):
    """The mean of one prior and the standard deviation of another (Rudner et al. 2021)."""

    kind: Literal["mean-and-scale"] = "mean-and-scale"  # pyright: ignore[reportIncompatibleVariableOverride]
    mean: PriorField
    """The prior whose mean is taken."""
    scale: PriorField
    """The prior whose standard deviation is taken."""

    def wrap(self, parts: Mapping[str, Prior]) -> Prior:
        """Put the two fitted priors together."""
        from nppac_priors.wrappers.prior import MeanAndScale

        return MeanAndScale(**parts)


def not_gaussian(kind: str, wrapped: str) -> str:
    """What is told of a wrapper of this kind and a prior of another that it cannot wrap."""
    return f"{kind}: needs a Gaussian prior, which {wrapped!r} is not"
