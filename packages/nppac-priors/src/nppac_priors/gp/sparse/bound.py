"""The variational bound as a function of the hyper-parameters and inducing points.

Its gradient is taken with q held fixed as a distribution of the *function values* at the inducing
points. Held fixed in whitened coordinates it would have the same expectation at the optimal q, and
far more noise: each minibatch would pull mean, amplitudes and lengthscales towards its own
residuals, with only the following q to push back. Here the divergence from the prior, which has no
minibatch in it, does most of the work.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nppac_priors.gp.model import GPModel
from nppac_priors.gp.sparse.features import Features
from nppac_priors.gp.sparse.variational import InducingPosterior


class Bound:
    """The bound around the present hyper-parameters; differentiable in model and features.

    Args:
        model: The hyper-parameters.
        posterior: q, for the model's present values.
        features: Of the states of a minibatch.
    """

    def __init__(self, model: GPModel, posterior: InducingPosterior, features: Features) -> None:
        """Express the fixed function values in the coordinates that move."""
        self._model, self._posterior, self._features = model, posterior, features
        present = features.factor.detach()
        ones = torch.ones_like(present[:, :1])
        self._ones = torch.linalg.solve_triangular(present, ones, upper=False)
        self._transport = torch.linalg.solve_triangular(features.factor, present, upper=False)
        self._mean_shift = model.mean - model.mean.detach()
        self._centred = posterior.mean - self._ones * self._mean_shift

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of f at the states, each (n, A)."""
        values = self._features.values
        transported = values @ self._transport
        undetermined = (1.0 - values.square().sum(1, keepdim=True)).clamp_min(0.0)
        variance = self._posterior.explained_variance(transported)
        variance = variance + undetermined * self._model.task_covariance.diagonal()
        return self._model.mean + transported @ self._centred, variance

    def expected_log_likelihood(self, actions: Tensor, weights: Tensor) -> Tensor:
        """E_q log N(y; f, D / w), mean over the action entries (n, A), nats."""
        mean, variance = self.moments()
        noise = self._model.noise_variance / weights[:, None]
        squared = (actions - mean).square() + variance
        return -0.5 * (squared / noise + noise.log() + math.log(2.0 * math.pi)).mean()

    def divergence(self) -> Tensor:
        """KL(q || prior) in nats; its gradient is that of the prior, q held fixed."""
        factor, posterior = self._features.factor, self._posterior
        task = torch.linalg.cholesky(self._model.task_covariance)
        whitened = torch.linalg.solve_triangular(
            task, torch.cat((self._centred.T, posterior.mixing), dim=1), upper=False
        )
        mean, mixing = whitened.split([len(factor), posterior.mixing.shape[1]], dim=1)
        quadratic = (self._transport @ mean.T).square().sum()
        spread = (self._transport @ posterior.vectors).square().sum(0)
        trace = spread @ posterior.variance @ mixing.square().sum(0)
        log_determinant = 2.0 * len(task) * factor.diagonal().log().sum()
        log_determinant = log_determinant + 2.0 * len(factor) * task.diagonal().log().sum()
        moving = 0.5 * (quadratic + trace + log_determinant)
        return posterior.kl_divergence() + moving - moving.detach()


@torch.no_grad()
def predictive_nll(
    model: GPModel, posterior: InducingPosterior, features: Features, actions: Tensor
) -> float:
    """Negative log density of actions (n, A), noise included, per action entry in nats."""
    mean, variance = Bound(model, posterior, features).moments()
    std = (variance + model.noise_variance).sqrt()
    return -torch.distributions.Normal(mean, std).log_prob(actions).mean().item()
