"""The fitted exact GP as a prior: what it keeps, what it stores, and how it comes to be."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from nppac_priors.data import finite_matrix, hash_data
from nppac_priors.errors import DataError
from nppac_priors.gp.exact.conditioning import Decomposition, check_size, condition, decompose
from nppac_priors.gp.exact.fitting import fit_hyperparameters
from nppac_priors.gp.exact.left_out import left_out_std
from nppac_priors.gp.exact.reference import load_hyperparameters
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.model import Hyperparameters, check_rank
from nppac_priors.gp.predictor import Factors, Predictor
from nppac_priors.prior import GaussianPrior
from nppac_priors.progress import Progress
from nppac_priors.state_scale import StateScale

if TYPE_CHECKING:
    import numpy as np

    from nppac_priors.demonstrated import Demonstrated
    from nppac_priors.gp.exact.config import ExactGPConfig
    from nppac_priors.prior import Prior
    from nppac_priors.progress import ProgressCallback


class ExactGPPrior(GaussianPrior):
    """Posterior of the exact GP with observation noise; float32, independent across actions.

    Attributes:
        hyperparameters: Float64, in the units of the data.
        data: What it is conditioned on.
    """

    config: ExactGPConfig

    def __init__(
        self,
        config: ExactGPConfig,
        hyperparameters: Hyperparameters,
        data: TrainingData,
        factors: Factors | None = None,
    ) -> None:
        """Freeze hyper-parameters and data, and the factors that belong to them where known."""
        super().__init__(
            config,
            state_dim=data.states.shape[1],
            action_dim=data.actions.shape[1],
            data_hash=hash_data(data.states, data.actions),
        )
        self.hyperparameters = hyperparameters
        self.data = data
        if factors is not None:
            self.predictor = self._predictor(factors)

    @functools.cached_property
    def predictor(self) -> Predictor:
        """The posterior itself; without known factors the first question waits for them."""
        with torch.inference_mode(False):  # else nobody could differentiate it later
            return self._conditioned(self._decomposed())

    def _decomposed(self) -> Decomposition:
        return decompose(self.config.kernel, self.hyperparameters, self.data)

    def _conditioned(self, decomposition: Decomposition) -> Predictor:
        tolerance = self.config.variance_tolerance
        return self._predictor(condition(decomposition, self.hyperparameters, self.data, tolerance))

    def _predictor(self, factors: Factors) -> Predictor:
        return Predictor(self.config.kernel, self.hyperparameters, self.data.states, factors)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.data.states.device

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        """Data and hyper-parameters; with the factors a reload skips the conditioning."""
        tensors = {**vars(self.data), **vars(self.hyperparameters)}
        return tensors | vars(self.predictor.factors) if include_factors else tensors

    def extended(self, states: Tensor | np.ndarray, actions: Tensor | np.ndarray) -> Self:
        """Conditioned on more data, each of weight one, with the same hyper-parameters.

        Raises:
            DataError: The arrays are not usable, all of them are in it already, or the matrices do
                not fit into memory.
            NumericalError: The factorisation became non-finite.
        """
        states = finite_matrix(states, "states", columns=self.state_dim, device=self.device)
        actions = finite_matrix(actions, "actions", columns=self.action_dim, device=self.device)
        more = TrainingData.check(states, actions, torch.ones(len(states), device=self.device))
        old = self.data
        known = {row.tobytes() for row in torch.hstack([old.states, old.actions]).cpu().numpy()}
        given = torch.hstack([more.states, more.actions]).cpu().numpy()
        if all(row.tobytes() in known for row in given):
            raise DataError("exact-gp: it was fitted to all of these demonstrations already")
        data = TrainingData(
            *(torch.cat([getattr(part, n) for part in (old, more)]) for n in vars(old))
        )
        extended = type(self)(self.config, self.hyperparameters, data)
        _ = extended.predictor  # conditions it, so that what fails is told here
        return extended

    def reuse(self, other: Prior) -> None:
        """Its posterior, if it is conditioned on the same data with the same hyper-parameters."""
        if not isinstance(other, ExactGPPrior) or other.config != self.config:
            return
        if "predictor" in vars(other) and _equal(self.state(), other.state()):
            self.predictor = other.predictor

    def _to(self, device: torch.device) -> Self:
        copy = type(self)(
            self.config,
            self.hyperparameters.to(device),
            self.data.to(device),
            self.predictor.factors.to(device),
        )
        copy.data_hash = self.data_hash
        return copy

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `GaussianPrior.tensors`; memory for B times the points."""
        return self.predictor.tensors(states)

    def _moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        return self.predictor.moments(states)

    def _mean(self, states: Tensor) -> Tensor:
        return self.predictor.mean(states)

    def _without_episodes(self, seen: Demonstrated) -> Tensor:
        """Factorises once more, or once for this and for all questions that follow."""
        decomposition = self._decomposed()
        std = left_out_std(
            decomposition, self.hyperparameters, self.data, seen.episode_lengths, seen.progress
        )
        if "predictor" not in vars(self):
            self.predictor = self._conditioned(decomposition)
        return std


def _equal(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    """Whether all tensors are the same and lie on the same device."""
    return all(
        tensor.device == theirs[name].device and torch.equal(tensor, theirs[name])
        for name, tensor in ours.items()
    )


def fit_prior(
    config: ExactGPConfig,
    data: TrainingData,
    generator: torch.Generator,
    progress: ProgressCallback | None,
) -> ExactGPPrior:
    """Fit or load hyper-parameters, then condition on all data.

    Raises:
        ConfigError: The rank is larger than the number of actions.
        DataError: Too many states for the memory, or a hyper-parameter file for other dimensions.
        NumericalError: The fit or the factorisation became non-finite.
    """
    check_size(len(data.states), data.states.device)
    check_rank(config.kind, config.task_rank, data.actions.shape[1])
    StateScale.of([data.states]).report_dead(config.kind)
    if config.hyperparameters is None:
        hyperparameters = fit_hyperparameters(config, data, generator, progress)
    else:
        hyperparameters = load_hyperparameters(
            config.hyperparameters, config.kernel, data.states.shape[1], data.actions.shape[1]
        )
    hyperparameters = hyperparameters.to(data.states.device)
    if progress is not None:
        progress(Progress("condition", 0, 1, {}))
    prior = ExactGPPrior(config, hyperparameters, data)
    modes = prior.predictor.factors.modes  # conditions it
    if progress is not None:
        progress(Progress("condition", 1, 1, {"modes": float(modes.shape[1])}))
    return prior


def restore_prior(
    config: ExactGPConfig, tensors: dict[str, Tensor], device: str | torch.device
) -> ExactGPPrior:
    """Rebuild a prior from `ExactGPPrior.state`; without factors its first use conditions it."""
    hyperparameters = Hyperparameters.take(tensors).to(device)
    data = TrainingData.take(tensors).to(device)
    factors = Factors.take(tensors).to(device) if "modes" in tensors else None
    if factors is None:
        check_size(len(data.states), data.states.device)
    return ExactGPPrior(config, hyperparameters, data, factors)
