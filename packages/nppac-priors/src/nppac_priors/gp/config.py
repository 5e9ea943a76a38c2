"""The configuration fields that all Gaussian-process priors have; imports no torch."""

from __future__ import annotations

from abc import ABC
from typing import Literal

from pydantic import Field

from nppac_priors.config import PriorConfig

KernelName = Literal["rbf", "matern12", "matern32", "matern52"]


class GPConfig(PriorConfig, ABC):
    """A multi-output GP over actions given states (Rudner et al. 2021, App. F).

    Actions have constant prior means, one ARD kernel of unit amplitude over states, a covariance
    between actions, and independent observation noise.
    """

    gaussian = True

    kernel: KernelName = Field("matern32")
    """Kernel over states, from rough to smooth: matern12, matern32, matern52, rbf."""
    task_covariance: Literal["icm", "diagonal"] = Field("diagonal")
    """Covariance between actions: diagonal for independent outputs that share one kernel, or icm,
    intrinsic coregionalisation W W' + diag(v)."""
    rank: int = Field(1, ge=1)
    """Columns of W; unused by a diagonal task_covariance."""

    @property
    def task_rank(self) -> int:
        """Columns of W; 0 for a diagonal covariance."""
        return self.rank if self.task_covariance == "icm" else 0
