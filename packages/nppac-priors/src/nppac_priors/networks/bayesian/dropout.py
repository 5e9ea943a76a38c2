"""MC dropout: a network trained with dropout is a posterior over its sub-networks.

Gal and Ghahramani (2016): dropout with an L2 penalty maximises an evidence lower bound. A draw from
the posterior leaves out some hidden units for all states, and is itself a network.

The penalty is the expectation, over draws, of -log p(weights) under the normal prior. A matrix M
behind a mask that keeps its inputs with probability 1 - p has (1 - p) |M|^2 in it, biases and the
first layer, which no mask touches, their full square. Units that stay are scaled by 1 / (1 - p), so
that the weights W trained here are (1 - p) M, and (1 - p) |M|^2 is |W|^2 / (1 - p).
"""

from __future__ import annotations

import torch
from torch import Tensor

from nppac_priors.networks.bayesian.predictive import SCORING_SAMPLES, predictive_nll
from nppac_priors.networks.perceptrons import StackedNetworks, gaussian_nll
from nppac_priors.networks.training_set import Batch, TrainingSet


class DropoutPosterior:
    """Dropout on all hidden units, with the L2 penalty of a normal prior over the weights."""

    def __init__(
        self,
        initial: StackedNetworks,
        data: TrainingSet,
        *,
        rate: float,
        samples: int,
        weight_std: float,
    ) -> None:
        """Train one network, starting at `initial`; the rest are fields of its config."""
        self._network = initial
        self._rate, self._samples = rate, samples
        self._l2 = 1.0 / (2.0 * weight_std**2 * data.observations)
        for tensor in self.parameters:
            tensor.requires_grad_()

    @property
    def parameters(self) -> list[Tensor]:
        """The network's weights, each (1, ...)."""
        return self._network.tensors

    def loss(self, batch: Batch) -> Tensor:
        """Negative log-likelihood under dropout, with the penalty (1,)."""
        mean, log_std = self._network(batch.states, self._rate)
        nll = batch.average(gaussian_nll(batch.actions, mean, log_std))
        layers = enumerate(zip(self._network.weights, self._network.biases, strict=True))
        squares = [
            w.shape[1] * (w.square().sum() / self._kept(layer) + b.square().sum())
            for layer, (w, b) in layers
        ]
        return nll + self._l2 * torch.stack(squares).sum()

    def score(self, batch: Batch) -> Tensor:
        """Held-out negative log-likelihood of a few draws' moments (1,)."""
        return predictive_nll(self.draw(SCORING_SAMPLES), batch)

    def networks(self) -> StackedNetworks:
        """The draws that make the prior."""
        return self.draw(self._samples)

    @torch.no_grad()
    def draw(self, count: int) -> StackedNetworks:
        """Sub-networks from the posterior: units left out have no outgoing weights."""
        weights = [self._network.weights[0].expand(count, -1, -1)]
        for weight in self._network.weights[1:]:
            keep = torch.rand(count, weight.shape[1], 1, device=weight.device) >= self._rate
            weights.append(weight * keep / (1.0 - self._rate))
        biases = tuple(bias.expand(count, -1, -1) for bias in self._network.biases)
        return StackedNetworks(tuple(weights), biases)

    def _kept(self, layer: int) -> float:
        """Share of a layer's inputs that stay: states always do, hidden units pass a mask."""
        return 1.0 if layer == 0 else 1.0 - self._rate
