"""The variational distribution of the inducing values.

Whitened inducing values E (M, A) have independent rows from N(0, B); actions at a state with
features a are f = m + E' a plus what the inducing points leave undetermined. The optimal q(E) for
given data depends on them through two sums only, of a a' and of a y'. Averaging these sums over
minibatches is the natural-gradient step on q (Hensman et al. 2013, section 3.1), and one M x M
matrix serves all actions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nppac_priors.gp.eigendecomposition import eigendecompose
from nppac_priors.gp.model import GPModel
from nppac_priors.gp.sparse.features import Features


class Statistics:
    """Running estimates of sums over all data, in the coordinates of the latest features.

    Args:
        features: Of the first minibatch.
        actions: (n, A).
        weights: (n,).
        total: N, what the sums are scaled up to.
    """

    def __init__(self, features: Features, actions: Tensor, weights: Tensor, total: int) -> None:
        """Start at the sums of the first minibatch."""
        self._total = total
        self._factor = features.factor.detach()
        self.outer, self.targets = self._sums(features, actions, weights)

    @torch.no_grad()
    def follow(self, factor: Tensor) -> None:
        """Change to the coordinates of another factor L of k(Z, Z), as q of f(Z) does."""
        change = torch.linalg.solve_triangular(self._factor, factor.detach(), upper=False)
        self.outer = change.T @ self.outer @ change
        self.targets = change.T @ self.targets
        self._factor = factor.detach()

    @torch.no_grad()
    def move(self, features: Features, actions: Tensor, weights: Tensor, step: float) -> None:
        """Take a natural-gradient step in (0, 1] towards a minibatch's sums."""
        outer, targets = self._sums(features, actions, weights)
        self.outer.lerp_(outer, step)
        self.targets.lerp_(targets, step)

    def _sums(self, features: Features, actions: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        values = features.values.detach()
        weighted = values * (weights * (self._total / len(values)))[:, None]
        extended = torch.cat((actions, torch.ones_like(actions[:, :1])), dim=1)
        return weighted.T @ values, weighted.T @ extended


@dataclass(frozen=True, eq=False)
class InducingPosterior:
    """q(E), a normal distribution with E = `mean` + U X `mixing`', entries of X independent.

    Attributes:
        mean: (M, A).
        vectors: U (M, M), orthogonal.
        variance: (M, Q), of the entries of X; 1 under the prior.
        scaled_mean: (M, Q), mean of the entries of X; 0 under the prior.
        mixing: (A, Q) with `mixing` `mixing`' = B.
    """

    mean: Tensor
    vectors: Tensor
    variance: Tensor
    scaled_mean: Tensor
    mixing: Tensor

    @classmethod
    @torch.no_grad()
    def optimal(cls, model: GPModel, statistics: Statistics) -> InducingPosterior:
        """The best q(E) for these sums: precision of X is 1 + l g, with both sides diagonal."""
        factor, noise = model.task_factor, model.noise_variance
        eigenvalues, vectors = eigendecompose(statistics.outer.clone(), "sparse-gp")
        g, rotation = torch.linalg.eigh(factor.T @ (factor / noise[:, None]))
        mixing = factor @ rotation
        variance = 1.0 / (1.0 + torch.outer(eigenvalues, g.clamp_min(0.0)))
        residuals = statistics.targets[:, :-1] - statistics.targets[:, -1:] * model.mean
        scaled_mean = vectors.T @ residuals @ (mixing / noise[:, None]) * variance
        return cls(vectors @ scaled_mean @ mixing.T, vectors, variance, scaled_mean, mixing)

    def kl_divergence(self) -> float:
        """KL from the prior in nats."""
        terms = self.variance + self.scaled_mean.square() - 1.0 - self.variance.log()
        return 0.5 * terms.sum().item()

    def explained_variance(self, features: Tensor) -> Tensor:
        """Variance of E' a (n, A) for features (n, M)."""
        return (features @ self.vectors).square() @ self.variance @ self.mixing.square().T
