"""Mean-field variational inference with Pyro: an independent normal posterior of each weight.

The posterior's parameters are plain tensors, so Pyro's global parameter store is left alone. Its
draws come from PyTorch's global generator; callers isolate that.
"""

from __future__ import annotations

import math

import pyro
import torch
from pyro import distributions, poutine
from pyro.infer import TraceMeanField_ELBO
from torch import Tensor
from torch.nn import functional

from nppac_priors.networks.bayesian.predictive import SCORING_SAMPLES, predictive_nll
from nppac_priors.networks.perceptrons import StackedNetworks
from nppac_priors.networks.training_set import Batch, TrainingSet

_INITIAL_STD = 0.01


class VariationalPosterior:
    """Negative evidence lower bound (Blundell et al. 2015), one weight draw for each batch."""

    def __init__(
        self, initial: StackedNetworks, data: TrainingSet, *, samples: int, weight_std: float
    ) -> None:
        """Start the posterior's means at `initial`; the rest are fields of its config."""
        self._shapes = [tensor.shape[1:] for tensor in initial.tensors]
        stds = [
            torch.full_like(tensor, weight_std / math.sqrt(weight.shape[1]))
            for tensors in (initial.weights, initial.biases)
            for tensor, weight in zip(tensors, initial.weights, strict=True)
        ]
        self._prior_std = _flat(stds)
        self._samples = samples
        self._observations = data.observations
        self._elbo = TraceMeanField_ELBO()
        self._mean = _flat(initial.tensors).requires_grad_()
        raw_std = math.log(math.expm1(_INITIAL_STD))
        self._raw_std = torch.full_like(self._prior_std, raw_std).requires_grad_()

    @property
    def parameters(self) -> list[Tensor]:
        """Means and inverse softplus of the stds of all weights, each (1, weights)."""
        return [self._mean, self._raw_std]

    def loss(self, batch: Batch) -> Tensor:
        """Negative evidence lower bound per state (1,), the divergence in closed form."""
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
        normal = distributions.Normal(self._mean, functional.softplus(self._raw_std))
        return self._unflat(normal.sample(torch.Size((count,)))[:, 0])

    def _guide(self, batch: Batch) -> None:
        """The posterior: weights normal, independent of each other."""
        normal = distributions.Normal(self._mean, functional.softplus(self._raw_std))
        pyro.sample("weights", normal.to_event(2))

    def _model(self, batch: Batch) -> None:
        """Weights normal, actions Gaussian given them; a batch stands for all observations."""
        prior = distributions.Normal(torch.zeros_like(self._prior_std), self._prior_std)
        weights = pyro.sample("weights", prior.to_event(2))
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
