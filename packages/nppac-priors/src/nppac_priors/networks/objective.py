"""What the training loop minimises: an interface, and maximum likelihood with two penalties."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from nppac_priors.networks.perceptrons import StackedNetworks, gaussian_entropy, gaussian_nll
from nppac_priors.networks.training_set import Batch


class Objective(Protocol):
    """A loss of K groups of parameters that do not interact."""

    @property
    def parameters(self) -> list[Tensor]:
        """Leaf tensors to train, each (K, ...)."""
        ...

    def loss(self, batch: Batch) -> Tensor:
        """Differentiable loss (K,) on a batch, nats per state."""
        ...

    def score(self, batch: Batch) -> Tensor:
        """Loss (K,) on held-out states, nats per state; its minimum is the best fit."""
        ...

    def networks(self) -> Any:
        """The networks that the present parameters stand for; `MLPConfig.prior` takes them."""
        ...


class MaximumLikelihood:
    """Gaussian maximum likelihood (C.14), with entropy bonus and Tikhonov penalty (C.15 to C.17).

    The loss is E[-log p(a|s) - beta H(s)] + lambda psi'psi with all weights and biases psi. The
    Gaussians' entropy H is exact, where the paper takes one sample. Given a target entropy, beta is
    its multiplier: it moves by the gradient of beta (H - target), and stays at or above 0.
    """

    def __init__(
        self,
        networks: StackedNetworks,
        *,
        entropy_weight: float = 0.0,
        target_entropy: float | None = None,
        tikhonov: float = 0.0,
    ) -> None:
        """Train these networks.

        Args:
            networks: K of them, initialised.
            entropy_weight: beta; where it starts if there is a target.
            target_entropy: Nats of the whole action.
            tikhonov: lambda.
        """
        self._networks = networks
        self._target = target_entropy
        self._tikhonov = tikhonov
        self.entropy_weight = torch.full_like(networks.biases[0][:, 0, 0], entropy_weight)
        for tensor in self.parameters:
            tensor.requires_grad_()

    @property
    def parameters(self) -> list[Tensor]:
        """The networks' weights, and the entropy's weight if there is a target."""
        multiplier = [] if self._target is None else [self.entropy_weight]
        return [*self._networks.tensors, *multiplier]

    def loss(self, batch: Batch) -> Tensor:
        """Negative log-likelihood with bonus and penalty (K,)."""
        nll, entropy = self._likelihood_and_entropy(batch)
        loss = nll - self.entropy_weight.detach() * entropy
        if self._tikhonov:
            squares = [tensor.square().sum((1, 2)) for tensor in self._networks.tensors]
            loss = loss + self._tikhonov * torch.stack(squares).sum(0)
        if self._target is not None:
            self.entropy_weight.data.clamp_(min=0.0)
            loss = loss + self.entropy_weight * (entropy.detach() - self._target)
        return loss

    def score(self, batch: Batch) -> Tensor:
        """The loss without the penalty on the weights.

        With a target, the entropy that is missing counts in full. That is an exact penalty: the
        multiplier at the solution is below 1, since a likelihood loses less than one nat for each
        nat of entropy above its own.
        """
        nll, entropy = self._likelihood_and_entropy(batch)
        if self._target is None:
            return nll - self.entropy_weight * entropy
        return nll + (self._target - entropy).clamp_min(0.0)

    def networks(self) -> StackedNetworks:
        """The networks themselves."""
        return self._networks

    def _likelihood_and_entropy(self, batch: Batch) -> tuple[Tensor, Tensor]:
        mean, log_std = self._networks(batch.states)
        nll = batch.average(gaussian_nll(batch.actions, mean, log_std))
        return nll, batch.average(gaussian_entropy(log_std))
