"""Configuration of the sparse variational Gaussian-process prior.

Use it where `exact-gp` runs out of memory or time: it walks through any number of demonstration
states in minibatches, also from memory-mapped files (`numpy.load(path, mmap_mode="r")`), in memory
that does not grow with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nppac_priors.gp.config import GPConfig
from nppac_priors.gp.exact.config import ExactGPConfig

if TYPE_CHECKING:
    import numpy as np
    import torch

    from nppac_priors.prior import Prior
    from nppac_priors.progress import ProgressCallback


class SparseGPConfig(GPConfig):
    """Sparse variational multi-output GP over actions given states (Hensman et al. 2013).

    The model of `exact-gp`, seen through inducing points. From the hyper-parameters that the
    marginal likelihood of subsets gives, and inducing points chosen under them by pivoted Cholesky,
    both are trained by Adam, the variational distribution by natural gradients, on minibatches. The
    posterior is then the optimal one for all data (Titsias 2009), found in one pass over them.
    """

    kind: Literal["sparse-gp"] = "sparse-gp"  # pyright: ignore[reportIncompatibleVariableOverride]
    inducing_points: int = Field(500, ge=1, le=5000)
    """Inducing points at most; time grows with their square, and the time of a step with their
    cube."""
    start_steps: int = Field(100, ge=1)
    """Adam steps on the marginal likelihood of random subsets of 600 states, as in exact-gp, that
    give the hyper-parameters to start from."""
    steps: int = Field(100, ge=1)
    """Training steps at most."""
    batch_size: int = Field(1024, ge=1)
    """States drawn at every step."""
    learning_rate: float = Field(0.02, gt=0.0, le=1.0)
    """Learning rate of Adam for the hyper-parameters."""
    inducing_learning_rate: float = Field(0.01, ge=0.0, le=1.0)
    """Learning rate of Adam for the inducing points, in standard deviations of the states; 0 keeps
    them at demonstration states."""
    natural_step: float = Field(0.1, gt=0.0, le=1.0)
    """Step of the natural gradient; the variational distribution remembers about its inverse in
    minibatches."""
    held_out_share: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of the episodes held out for early stopping. With 0, or data of a single episode, all
    steps are run on all data."""
    evaluate_every: int = Field(10, ge=1)
    """Steps between evaluations on the held-out episodes."""
    patience: int = Field(4, ge=1)
    """Evaluations without a lower held-out loss that end the fit."""

    def start(self) -> ExactGPConfig:
        """The search that finds the hyper-parameters to start from."""
        return ExactGPConfig.model_validate(
            {
                "kernel": self.kernel,
                "task_covariance": self.task_covariance,
                "rank": self.rank,
                "steps": self.start_steps,
            }
        )

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
        from nppac_priors.demonstration_rows import DemonstrationRows
        from nppac_priors.gp.sparse.prior import fit_prior

        rows = DemonstrationRows(states, actions, device)
        return fit_prior(self, rows, episode_lengths, weights, generator, progress)

    def from_state(
        self, tensors: dict[str, torch.Tensor], *, device: str | torch.device = "cpu"
    ) -> Prior:
        """Rebuild the prior from its inducing points and factors."""
        from nppac_priors.gp.sparse.prior import restore_prior

        return restore_prior(self, tensors, device)
