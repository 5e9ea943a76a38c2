"""Configuration of the nearest-neighbour prior; torch is imported when it is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from nppac_priors import DataError, PriorConfig
from pydantic import Field

if TYPE_CHECKING:
    from nppac_knn_prior.prior import KNNPrior


class KNNConfig(PriorConfig):
    """Mean and spread of the actions at the nearest demonstration states."""

    kind: Literal["knn"] = "knn"
    neighbours: int = Field(8, ge=1)
    """How many demonstration states are averaged."""
    min_std: float = Field(0.05, gt=0)
    """Smallest standard deviation, at the data."""
    far_std: float = Field(1.0, gt=0)
    """Standard deviation far from the data."""

    def _fit(self, states: Any, actions: Any, *, weights: Any, device: Any, **_: Any) -> KNNPrior:
        from nppac_knn_prior.prior import fit_prior

        if (weights != weights[0]).any():
            raise DataError("prior 'knn' counts all states alike; leave the weights out")
        return fit_prior(self, states, actions, device)

    def from_state(self, tensors: dict[str, Any], *, device: Any = "cpu") -> KNNPrior:
        """Rebuild the prior from its stored tensors."""
        from nppac_knn_prior.prior import KNNPrior

        return KNNPrior(self, {name: tensor.to(device) for name, tensor in tensors.items()})
