"""Fields and factory that the priors made of Gaussian networks have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from nppac_priors.config import PriorConfig

if TYPE_CHECKING:
    import numpy as np
    import torch

    from nppac_priors.networks.objective import Objective
    from nppac_priors.networks.training_set import Standardiser, TrainingSet
    from nppac_priors.prior import Prior
    from nppac_priors.progress import ProgressCallback


class MLPConfig(PriorConfig):
    """Gaussian networks: states, standardised, to the mean and log std of each action dimension.

    ReLU hidden layers; mean tanh(head), log std clamped to [-20, 2], as the policy of Rudner et
    al. (2021) has them. Trained with Adam; the weights kept are those with the lowest loss on
    episodes held out.
    """

    gaussian = True

    hidden: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(
        (256, 256), min_length=1, max_length=16
    )
    """Units of each hidden layer."""
    steps: int = Field(10_000, ge=1)
    """Adam steps at most."""
    batch_size: int = Field(256, ge=1)
    """States drawn at every step, by each network."""
    learning_rate: float = Field(3e-4, gt=0.0, le=1.0)
    """Learning rate of Adam."""
    held_out_share: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of the episodes held out for early stopping. With 0, or data of a single episode, all
    steps are run on all data."""
    evaluate_every: int = Field(100, ge=1)
    """Steps between evaluations on the held-out episodes."""
    patience: int = Field(20, ge=1)
    """Evaluations without a lower held-out loss that end the fit."""

    @abstractmethod
    def objective(self, data: TrainingSet, generator: torch.Generator) -> Objective:
        """What to minimise, with networks initialised from the generator."""

    def prior(self, networks: Any, standardiser: Standardiser, data_hash: str) -> Prior:
        """The prior of what `Objective.networks` gave after the training."""
        from nppac_priors.networks.prior import MLPPrior

        return MLPPrior(self, networks, standardiser, data_hash)

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
        from nppac_priors.networks.prior import fit_prior
        from nppac_priors.networks.training_set import TrainingSet

        data = TrainingSet.check(
            states,
            actions,
            episode_lengths=episode_lengths,
            weights=weights,
            held_out_share=self.held_out_share,
            generator=generator,
        )
        return fit_prior(self, data, generator, progress)

    def from_state(
        self, tensors: dict[str, torch.Tensor], *, device: str | torch.device = "cpu"
    ) -> Prior:
        """Rebuild the prior from its weights."""
        from nppac_priors.networks.prior import restore_prior

        return restore_prior(self, tensors, device)
