"""How well a Gaussian prior predicts actions that it has not seen.

Every number is an average over all action entries (state times action dimension), so that tasks of
different sizes compare. Nothing here depends on a prior: means, standard deviations, actions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

COVERAGE_LEVELS = (0.5, 0.9, 0.95)
LEVELS = tuple(percent / 100 for percent in range(1, 100))
"""Nominal coverages of the reliability diagram and of the calibration error."""


@dataclass(frozen=True)
class Calibration:
    """Held-out quality.

    Attributes:
        nll: Negative log-likelihood, nats.
        rmse: Root mean squared error of the mean, in action units.
        crps: Continuous ranked probability score, in action units.
        coverage: Share of actions within the central interval of nominal coverage 0.5, 0.9, 0.95.
        calibration_error: Expected calibration error: the mean over the 99 nominal coverages 0.01
            to 0.99 of the distance between nominal and observed.
        sharpness: Root of the mean predictive variance, in action units; a calibrated prior has a
            sharpness equal to its `rmse`.
        rmse_of_dimensions: Mean over action dimensions of each one's RMSE.
        observed_coverage: At each of `LEVELS`.
        steps: Number of held-out steps.
    """

    nll: float
    rmse: float
    crps: float
    coverage: dict[float, float]
    calibration_error: float
    sharpness: float
    rmse_of_dimensions: float
    observed_coverage: tuple[float, ...]
    steps: int


def calibration(mean: Tensor, std: Tensor, actions: Tensor) -> Calibration:
    """Compare predictions with actions; all are (N, A), and the work is in float64."""
    mean, std, actions = mean.double(), std.double(), actions.double()
    error = actions - mean
    scores = (error / std).abs()
    observed = observed_coverage(scores, LEVELS)
    mistakes = [abs(seen - level) for seen, level in zip(observed, LEVELS, strict=True)]
    return Calibration(
        nll=float(negative_log_likelihood(error, std).mean()),
        rmse=float(error.square().mean().sqrt()),
        crps=float(gaussian_crps(error, std).mean()),
        coverage=dict(
            zip(COVERAGE_LEVELS, observed_coverage(scores, COVERAGE_LEVELS), strict=True)
        ),
        calibration_error=math.fsum(mistakes) / len(mistakes),
        sharpness=float(std.square().mean().sqrt()),
        rmse_of_dimensions=float(error.square().mean(dim=0).sqrt().mean()),
        observed_coverage=observed,
        steps=len(actions),
    )


def negative_log_likelihood(error: Tensor, std: Tensor) -> Tensor:
    """-log N(error; 0, std^2), nats, for each entry."""
    return 0.5 * (error / std).square() + std.log() + 0.5 * math.log(2 * math.pi)


def gaussian_crps(error: Tensor, std: Tensor) -> Tensor:
    """Continuous ranked probability score of a normal forecast (Gneiting and Raftery 2007, eq. 5).

    With z = error / std: std (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)); for a std of 0 it is the
    absolute error.
    """
    z = error / std
    density = torch.exp(-0.5 * z.square()) / math.sqrt(2 * math.pi)
    return std * (z * (2 * torch.special.ndtr(z) - 1) + 2 * density - 1 / math.sqrt(math.pi))


def observed_coverage(scores: Tensor, levels: tuple[float, ...]) -> tuple[float, ...]:
    """Share of entries within the central interval of each nominal coverage.

    Args:
        scores: |action - mean| / std, any shape.
        levels: Nominal coverages in (0, 1).
    """
    ordered = scores.flatten().sort().values
    nominal = torch.tensor(levels, dtype=torch.float64, device=scores.device)
    half_widths = torch.special.ndtri((1 + nominal) / 2)
    within = torch.searchsorted(ordered, half_widths, right=True)
    return tuple((within.double() / len(ordered)).tolist())
