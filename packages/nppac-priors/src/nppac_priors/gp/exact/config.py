"""Configuration of the exact Gaussian-process prior.

Use it for up to 20,000 demonstration states, where its posterior is exact; memory grows with the
square of their number (12 GiB at 20,000) and the time to condition with the cube. Beyond that, or
for millions, there is `sparse-gp`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nppac_priors.errors import DataError
from nppac_priors.gp.config import GPConfig
from nppac_priors.user_files import existing_file

if TYPE_CHECKING:
    import numpy as np
    import torch

    from nppac_priors.prior import Prior
    from nppac_priors.progress import ProgressCallback


class ExactGPConfig(GPConfig):
    """Exact multi-output GP over actions given states (Rudner et al. 2021, App. F).

    Hyper-parameters maximise the marginal likelihood of random subsets; the posterior is
    conditioned on all data.
    """

    kind: Literal["exact-gp"] = "exact-gp"  # pyright: ignore[reportIncompatibleVariableOverride]
    steps: int = Field(150, ge=1)
    """Adam steps of the hyper-parameter fit."""
    learning_rate: float = Field(0.1, gt=0.0, le=1.0)
    """Learning rate of Adam."""
    subset_size: int | None = Field(600, ge=1)
    """States drawn anew at every step; null for all of them."""
    hyperparameters: Path | None = Field(None)
    """PyTorch state dict to take the hyper-parameters from instead of fitting; kernel has to be the
    one it was fitted with."""
    variance_tolerance: float = Field(1e-3, ge=0.0, lt=1.0)
    """Kernel modes are dropped as long as no variance can change by more than this fraction of the
    action's noise variance."""

    def require_files(self) -> None:
        """Look for the state dict, where there is to be one."""
        if self.hyperparameters is not None:
            existing_file(self.hyperparameters, DataError, "hyperparameters '{}'")

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
        from nppac_priors.gp.exact.prior import fit_prior
        from nppac_priors.gp.exact.training_data import TrainingData

        data = TrainingData.check(states, actions, weights)
        return fit_prior(self, data, generator, progress)

    def from_state(
        self, tensors: dict[str, torch.Tensor], *, device: str | torch.device = "cpu"
    ) -> Prior:
        """Rebuild the prior; without stored factors this repeats the conditioning."""
        from nppac_priors.gp.exact.prior import restore_prior

        return restore_prior(self, tensors, device)
