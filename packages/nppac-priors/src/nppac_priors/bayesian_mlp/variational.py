"""Mean-field variational inference with Pyro: an independent normal posterior of each weight.

Pyro's parameters stay in the guide's own modules, so its global parameter store is left alone. Its
draws come from PyTorch's global generator; callers isolate that.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pyro
import torch
from pyro import distributions, poutine
from pyro.infer import TraceMeanField_ELBO
from pyro.infer.autoguide import AutoNormal, init_to_value
from torch import Tensor

from nppac_priors.bayesian_mlp.predictive import SCORING_SAMPLES, predictive_nll
from nppac_priors.mlp.networks import StackedNetworks
from nppac_priors.mlp.training_set import Batch, TrainingSet

if TYPE_CHECKING:
    from nppac_priors.bayesian_mlp.config import BayesianMLPConfig

_INITIAL_STD = 0.01


class VariationalPosterior:
    """Negative evidence lower bound (Blundell et al. 2015), one weight draw for each batch."""

    def __init__(
        self, config: BayesianMLPConfig, initial: StackedNetworks, data: TrainingSet
    ) -> None:
        """Start the posterior's means at `initial`."""
        self._shapes = [tensor.shape[1:] for tensor in initial.tensors]
        stds = [
            torch.full_like(tensor, config.weight_std / math.sqrt(weight.shape[1]))
            for tensors in (initial.weights, initial.biases)
            for tensor, weight in zip(tensors, initial.weights, strict=True)
        ]
        self._prior_std = _flat(stds)
        self._samples = config.samples
        self._observations = data.observations
        self._elbo = TraceMeanField_ELBO()
        start = init_to_value(values={"weights": _flat(initial.tensors)})
        with _own_parameters():
            self._guide = AutoNormal(self._model, init_loc_fn=start, init_scale=_INITIAL_STD)
            self._guide()

    @property
    def parameters(self) -> list[Tensor]:
        """Means and unconstrained stds of all weights, each (1, weights)."""
        return list(self._guide.parameters())

    def loss(self, batch: Batch) -> Tensor:
        """Negative evidence lower bound per state (1,)."""
        with _own_parameters():
            loss = self._elbo.differentiable_loss(self._model, self._guide, batch)
        return (loss / self._observations)[None]

    def score(self, batch: Batch) -> Tensor:
        """Held-out negative log-likelihood of a few draws' moments (1,)."""
        return predictive_nll(self.draw(SCORING_SAMPLES), batch)

    def networks(self) -> StackedNetworks:
        """The draws that make the prior."""
        return self.draw(self._samples)

    @torch.no_grad()
    def draw(self, count: int) -> StackedNetworks:
        """Networks from the posterior."""
        with _own_parameters():
            return self._unflat(torch.cat([self._guide()["weights"] for _ in range(count)]))

    def _model(self, batch: Batch | None = None) -> None:
        """Weights normal, actions Gaussian given them; without a batch, the weights alone."""
        prior = distributions.Normal(torch.zeros_like(self._prior_std), self._prior_std)
        weights = pyro.sample("weights", prior.to_event(2))
        if batch is None:
            return
        mean, log_std = (moment[0] for moment in self._unflat(weights)(batch.states))
        counts = batch.weights[0] * self._observations / len(batch)
        with pyro.plate("states", len(batch)), poutine.scale(scale=counts):
            likelihood = distributions.Normal(mean, log_std.exp()).to_event(1)
            pyro.sample("actions", likelihood, obs=batch.actions[0])

    def _unflat(self, weights: Tensor) -> StackedNetworks:
        """Networks of weights (K, all of them)."""
        parts = weights.split([shape.numel() for shape in self._shapes], dim=1)
        pairs = zip(parts, self._shapes, strict=True)
        tensors = [part.reshape(-1, *shape) for part, shape in pairs]
        layers = len(tensors) // 2
        return StackedNetworks(tuple(tensors[:layers]), tuple(tensors[layers:]))


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten(1) for tensor in tensors], dim=1)


def _own_parameters() -> AbstractContextManager[None]:
    return pyro.settings.context(module_local_params=True)
