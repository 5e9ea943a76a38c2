"""What the training loop minimises for conditional VAEs: the negative evidence lower bound."""

from __future__ import annotations

import torch
from torch import Tensor

from nppac_priors.cvae.ensemble import CVAEEnsemble
from nppac_priors.networks.training_set import Batch


class EvidenceLowerBound:
    """- E_q [log p(a|s, z)] + KL(q(z|s, a) || N(0, I)), one latent for each action.

    Noise is from the global generator, which the loop keeps apart and seeds for an evaluation.
    """

    def __init__(self, models: CVAEEnsemble) -> None:
        """Train these models."""
        self._models = models

    @property
    def parameters(self) -> list[Tensor]:
        """Their weights and biases."""
        return list(self._models.parameters())

    def loss(self, batch: Batch) -> Tensor:
        """The negative bound (K,), nats per state."""
        states, actions = (
            t.expand(self._models.members, *t.shape[-2:]) for t in (batch.states, batch.actions)
        )
        noise = torch.randn(
            (*states.shape[:-1], self._models.latent_dim), device=states.device, dtype=states.dtype
        )
        return batch.average(-self._models.lower_bound(states, actions, noise))

    def score(self, batch: Batch) -> Tensor:
        """The same on held-out states."""
        return self.loss(batch)

    def networks(self) -> CVAEEnsemble:
        """The models themselves."""
        return self._models
