"""Hyper-parameters by maximum marginal likelihood on random subsets of the demonstration states.

The marginal likelihood of a few hundred states pins down lengthscales, covariances and noise; only
the posterior needs all the data. Every step draws a new subset, so that all data are used.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nppac_priors.eager import Adam
from nppac_priors.errors import NumericalError
from nppac_priors.gp.exact.marginal_likelihood import log_marginal_likelihood
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.model import GPModel, Hyperparameters, initial_model
from nppac_priors.progress import Progress
from nppac_priors.state_scale import StateScale

if TYPE_CHECKING:
    from nppac_priors.gp.exact.config import ExactGPConfig
    from nppac_priors.progress import ProgressCallback


def fit_hyperparameters(
    config: ExactGPConfig,
    data: TrainingData,
    generator: torch.Generator,
    progress: ProgressCallback | None,
) -> Hyperparameters:
    """What `fit_model` finds, in the units of the data.

    States are scaled to unit standard deviation for the search, which makes it independent of
    their units and leaves the model class as it is.

    Args:
        config: Kernel, rank, steps, learning rate, subset size.
        data: Demonstrations.
        generator: CPU generator for the subsets and the start of W.
        progress: Called after every step.

    Raises:
        NumericalError: A step gave a non-finite likelihood.
    """
    states, actions, weights = (t.double() for t in vars(data).values())
    scale = StateScale.of([states]).scale
    model = fit_model(config, states / scale, actions, weights, generator, progress)
    return model.hyperparameters(scale)


def fit_model(
    config: ExactGPConfig,
    states: Tensor,
    actions: Tensor,
    weights: Tensor,
    generator: torch.Generator,
    progress: ProgressCallback | None,
) -> GPModel:
    """Maximise the marginal likelihood per action entry with Adam; all tensors float64.

    Args:
        config: Kernel, rank, steps, learning rate, subset size.
        states: (N, S), of unit standard deviation.
        actions: (N, A).
        weights: (N,).
        generator: CPU generator for the subsets and the start of W.
        progress: Called after every step.

    Raises:
        NumericalError: A step gave a non-finite likelihood.
    """
    model = initial_model(config.kernel, config.task_rank, states.shape[1], actions, generator)
    model.to(states.device)
    optimizer = Adam(model.parameters(), lr=config.learning_rate)
    size = min(config.subset_size or len(states), len(states))
    for step in range(1, config.steps + 1):
        subset = torch.randperm(len(states), generator=generator)[:size].to(states.device)
        optimizer.zero_grad()
        log_likelihood = model_log_likelihood(
            model, states[subset], actions[subset], weights[subset]
        )
        (-log_likelihood).backward()
        optimizer.step()
        value = log_likelihood.item()
        _require_finite(value, step, config.learning_rate)
        if progress is not None:
            progress(Progress("fit", step, config.steps, {"log_likelihood": value}))
    return model


def _require_finite(log_likelihood: float, step: int, learning_rate: float) -> None:
    if not math.isfinite(log_likelihood):
        raise NumericalError(
            f"exact-gp: marginal likelihood is {log_likelihood} at step {step} of the fit; "
            f"lower learning_rate (now {learning_rate})"
        )


def model_log_likelihood(
    model: GPModel, states: Tensor, actions: Tensor, weights: Tensor
) -> Tensor:
    """Marginal log-likelihood per action entry, nats; differentiable in the model's parameters."""
    row_scale = weights.sqrt()[:, None]
    total = log_marginal_likelihood(
        row_scale * model.data_covariance(states) * row_scale.T,
        model.task_covariance,
        model.noise_variance,
        row_scale * (actions - model.mean),
    )
    return total / actions.numel() + weights.log().mean() / 2
