"""The fitted sparse GP as a prior: what it keeps, what it stores, and how it comes to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from nppac_priors.demonstration_rows import DemonstrationRows
from nppac_priors.gp.model import Hyperparameters, check_rank
from nppac_priors.gp.predictor import Factors, Predictor
from nppac_priors.gp.sparse.conditioning import condition
from nppac_priors.gp.sparse.fitting import TrainingRows, fit_hyperparameters
from nppac_priors.held_out import hold_out_rows
from nppac_priors.left_out import by_fits
from nppac_priors.prior import GaussianPrior
from nppac_priors.state_scale import StateScale

if TYPE_CHECKING:
    from nppac_priors.demonstrated import Demonstrated
    from nppac_priors.gp.sparse.config import SparseGPConfig
    from nppac_priors.progress import ProgressCallback


MOST_CONDITIONINGS = 50
"""Passes over the data to leave episodes out: more episodes than that go in groups."""


class SparseGPPrior(GaussianPrior):
    """Posterior of the sparse GP with observation noise, independent across actions.

    Attributes:
        hyperparameters: Float64, in the units of the data.
        inducing: Inducing points (M, S), float64, in the units of the data.
        predictor: The posterior itself; float64, as whitening costs digits.
    """

    config: SparseGPConfig

    def __init__(
        self,
        config: SparseGPConfig,
        hyperparameters: Hyperparameters,
        inducing: Tensor,
        factors: Factors,
        data_hash: str = "",
    ) -> None:
        """Freeze hyper-parameters, inducing points and the factors that belong to them."""
        super().__init__(
            config,
            state_dim=inducing.shape[1],
            action_dim=len(hyperparameters.mean),
            data_hash=data_hash,
        )
        self.hyperparameters = hyperparameters
        self.inducing = inducing
        self.predictor = Predictor(config.kernel, hyperparameters, inducing, factors, torch.float64)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.inducing.device

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        """Inducing points, hyper-parameters and factors, which only the data could recompute."""
        factors = vars(self.predictor.factors)
        return {"inducing": self.inducing, **vars(self.hyperparameters), **factors}

    def _to(self, device: torch.device) -> Self:
        return type(self)(
            self.config,
            self.hyperparameters.to(device),
            self.inducing.to(device),
            self.predictor.factors.to(device),
            self.data_hash,
        )

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `GaussianPrior.tensors`; memory for B times the points."""
        return self.predictor.tensors(states)

    def _moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        return self.predictor.moments(states)

    def _mean(self, states: Tensor) -> Tensor:
        return self.predictor.mean(states)

    def _without_episodes(self, seen: Demonstrated) -> Tensor:
        """Hyper-parameters and inducing points stay; the posterior is that of the other rows."""

        def fit(rows: Tensor) -> SparseGPPrior:
            kept = DemonstrationRows(seen.states[rows], seen.actions[rows], self.device)
            weights = torch.ones(len(rows), device=self.device)
            kernel = self.config.kernel
            factors = condition(kernel, self.hyperparameters, self.inducing, kept, weights)
            return type(self)(self.config, self.hyperparameters, self.inducing, factors)

        return by_fits(
            seen.states, seen.episode_lengths, fit, seen.progress, most=MOST_CONDITIONINGS
        )


def fit_prior(
    config: SparseGPConfig,
    rows: DemonstrationRows,
    episode_lengths: Tensor,
    weights: Tensor,
    generator: torch.Generator,
    progress: ProgressCallback | None,
) -> SparseGPPrior:
    """Train on minibatches, then condition on all rows.

    Raises:
        ConfigError: The rank is larger than the number of actions.
        NumericalError: The fit or a factorisation became non-finite.
    """
    check_rank(config.kind, config.task_rank, rows.action_dim)
    data = _training_rows(config, rows, episode_lengths, weights, generator)
    hyperparameters, inducing = fit_hyperparameters(config, data, generator, progress)
    factors = condition(config.kernel, hyperparameters, inducing, rows, weights, progress)
    return SparseGPPrior(config, hyperparameters, inducing, factors, rows.data_hash)


def _training_rows(
    config: SparseGPConfig,
    rows: DemonstrationRows,
    episode_lengths: Tensor,
    weights: Tensor,
    generator: torch.Generator,
) -> TrainingRows:
    inputs = StateScale.of(states for states, _ in rows.blocks())
    inputs.report_dead(config.kind)
    used = weights.cpu() > 0
    split = hold_out_rows(episode_lengths, config.held_out_share, generator)
    fitted, held_out = (part[used[part]] for part in split)
    if len(fitted) == 0:
        fitted, held_out = held_out, fitted
    return TrainingRows(rows, weights, inputs.scale, fitted, held_out)


def restore_prior(
    config: SparseGPConfig, tensors: dict[str, Tensor], device: str | torch.device
) -> SparseGPPrior:
    """Rebuild a prior from `SparseGPPrior.state`."""
    return SparseGPPrior(
        config,
        Hyperparameters.take(tensors).to(device),
        tensors["inducing"].to(device),
        Factors.take(tensors).to(device),
    )
