"""Hyper-parameters and inducing points by the variational bound, on minibatches.

The bound alone, from far away, finds amplitudes that are too small off the data: it pays for
variance that the inducing points leave undetermined. Started where the marginal likelihood of
subsets is largest and stopped by held-out episodes, it trains the noise and the inducing points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nppac_priors.demonstration_rows import DemonstrationRows
from nppac_priors.eager import Adam
from nppac_priors.errors import NumericalError
from nppac_priors.gp.exact.fitting import fit_model
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.gp.sparse.bound import Bound, predictive_nll
from nppac_priors.gp.sparse.features import Features
from nppac_priors.gp.sparse.inducing import choose_inducing_points
from nppac_priors.gp.sparse.variational import InducingPosterior, Statistics
from nppac_priors.progress import Progress

if TYPE_CHECKING:
    from nppac_priors.gp.sparse.config import SparseGPConfig
    from nppac_priors.progress import ProgressCallback

_CANDIDATES = 10_000
"""States that inducing points are chosen from."""
_HELD_OUT = 4096
"""Held-out states that decide when to stop."""


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The demonstrations of a fit, read when they are needed, states divided by their scale.

    Attributes:
        rows: All of them.
        weights: (N,) positive where used.
        scale: (S,), float64.
        fitted: Indices of the rows to train on.
        held_out: Indices of the rows that decide when to stop; may be empty.
    """

    rows: DemonstrationRows
    weights: Tensor
    scale: Tensor
    fitted: Tensor
    held_out: Tensor

    def take(self, indices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scaled states, actions and weights, float64."""
        states, actions = self.rows.take(indices)
        weights = self.weights[indices.to(self.weights.device)].double()
        return states.double() / self.scale, actions.double(), weights

    def sample(self, indices: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """At most `count` of the indices, ascending."""
        return indices[torch.randperm(len(indices), generator=generator)[:count].sort().values]

    def minibatch(self, size: int, generator: torch.Generator) -> Tensor:
        """Indices of rows to train on, drawn with replacement; all where `size` covers them."""
        if size >= len(self.fitted):
            return self.fitted
        drawn = torch.randint(len(self.fitted), (size,), generator=generator)
        return self.fitted[drawn.sort().values]


def fit_hyperparameters(
    config: SparseGPConfig,
    data: TrainingRows,
    generator: torch.Generator,
    progress: ProgressCallback | None,
) -> tuple[Hyperparameters, Tensor]:
    """Maximise the bound; keep the values that were best on the held-out rows.

    Returns:
        Hyper-parameters and inducing points (M, S), in the units of the states.

    Raises:
        NumericalError: A step gave a non-finite bound.
    """
    training = Training(config, data, generator, progress)
    checked = data.sample(data.held_out, _HELD_OUT, generator)
    best, waited = training.snapshot(math.inf), 0
    if len(checked) > 0:
        best = training.snapshot(training.nll(checked))
    for step in range(1, config.steps + 1):
        values = {"elbo": training.step(data.minibatch(config.batch_size, generator), step)}
        evaluated = step % config.evaluate_every == 0 or step == config.steps
        if evaluated and len(checked) > 0:
            values["held_out_nll"] = loss = training.nll(checked)
            waited = 0 if loss < best.loss else waited + 1
            best = training.snapshot(loss) if loss < best.loss else best
        total = config.steps if waited < config.patience else step
        if progress is not None:
            progress(Progress("fit", step, total, values))
        if waited == config.patience:
            break
    last = training.snapshot(math.inf) if math.isinf(best.loss) else best
    return last.hyperparameters, last.inducing


def _renamed(progress: ProgressCallback | None) -> ProgressCallback | None:
    if progress is None:
        return None
    return lambda report: progress(report._replace(stage="start"))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What training has found, in the units of the states, and how good it is held out."""

    loss: float
    hyperparameters: Hyperparameters
    inducing: Tensor


class Training:
    """Model, inducing points and variational distribution while they are trained, float64.

    Each step moves the hyper-parameters and inducing points by Adam, under the variational
    distribution of the minibatches before, and then that distribution towards the minibatch.
    """

    def __init__(
        self,
        config: SparseGPConfig,
        data: TrainingRows,
        generator: torch.Generator,
        progress: ProgressCallback | None,
    ) -> None:
        """Start from the marginal likelihood of subsets of a sample of the data."""
        self._config, self._data = config, data
        sample = data.take(data.sample(data.fitted, _CANDIDATES, generator))
        states = sample[0]
        self.model = fit_model(config.start(), *sample, generator, _renamed(progress))
        lengthscale = self.model.lengthscale.detach()
        self.inducing = choose_inducing_points(
            config.kernel, states, lengthscale, config.inducing_points
        ).requires_grad_()
        groups = [
            {"params": list(self.model.parameters())},
            {"params": [self.inducing], "lr": config.inducing_learning_rate},
        ]
        self._optimizer = Adam(groups, lr=config.learning_rate)
        self._statistics = self._first_statistics(generator)

    def step(self, indices: Tensor, step: int) -> float:
        """Train on the rows with these indices; the bound before, per action entry in nats."""
        states, actions, weights = self._data.take(indices)
        features = Features.of(self.model, self.inducing, states)
        self._statistics.follow(features.factor)
        posterior = InducingPosterior.optimal(self.model, self._statistics)
        terms = Bound(self.model, posterior, features)
        total = len(self._data.fitted)
        bound = terms.expected_log_likelihood(actions, weights)
        bound = bound - terms.divergence() / (total * actions.shape[1])
        self._optimizer.zero_grad()
        (-bound).backward()
        self._optimizer.step()
        natural_step = max(self._config.natural_step, len(indices) / total, 1.0 / (step + 1))
        self._statistics.move(features, actions, weights, natural_step)
        return self._require_finite(bound.item(), step)

    @torch.no_grad()
    def nll(self, indices: Tensor) -> float:
        """Negative predictive log-likelihood of these rows per action entry, nats."""
        states, actions, _ = self._data.take(indices)
        features = Features.of(self.model, self.inducing, states)
        self._statistics.follow(features.factor)
        posterior = InducingPosterior.optimal(self.model, self._statistics)
        return predictive_nll(self.model, posterior, features, actions)

    def snapshot(self, loss: float) -> Snapshot:
        """The present values."""
        inducing = self.inducing.detach() * self._data.scale
        return Snapshot(loss, self.model.hyperparameters(self._data.scale), inducing)

    def _require_finite(self, bound: float, step: int) -> float:
        if not math.isfinite(bound):
            raise NumericalError(
                f"sparse-gp: the bound is {bound} at step {step} of the fit; lower learning_rate "
                f"(now {self._config.learning_rate})"
            )
        return bound

    @torch.no_grad()
    def _first_statistics(self, generator: torch.Generator) -> Statistics:
        indices = self._data.minibatch(self._config.batch_size, generator)
        states, actions, weights = self._data.take(indices)
        features = Features.of(self.model, self.inducing, states)
        return Statistics(features, actions, weights, len(self._data.fitted))
