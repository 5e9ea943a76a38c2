"""How likely held-out actions are under networks drawn from a posterior."""

from __future__ import annotations

from torch import Tensor

from nppac_priors.networks.perceptrons import StackedNetworks, gaussian_nll, mixture_moments
from nppac_priors.networks.training_set import Batch

SCORING_SAMPLES = 8
"""Networks drawn for one evaluation on held-out states; the fitted prior has more."""


def predictive_nll(networks: StackedNetworks, batch: Batch) -> Tensor:
    """Negative log-likelihood (1,) of a batch under the moments that the prior would have."""
    mean, std = mixture_moments(*networks(batch.states))
    return batch.average(gaussian_nll(batch.actions, mean, std.log())[None])
