"""Symmetric eigendecomposition of a kernel matrix that survives near-duplicate states.

Rows that nearly coincide make the matrix singular to rounding, which the posteriors bear (they
never divide by an eigenvalue), but on which a solver may fail to converge. Each failure is answered
by a larger jitter, and the last one by an error that names the rows to look at.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from nppac_priors.errors import NumericalError

logger = logging.getLogger(__name__)

JITTERS = (0.0, 1e-10, 1e-8, 1e-6)
"""Added to the unit diagonal, in this order."""


def eigendecompose(covariance: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    """Eigenvalues (N,), none negative, and eigenvectors (N, N) of a positive semi-definite matrix.

    Args:
        covariance: Symmetric (N, N); its diagonal is overwritten where jitter is needed.
        kind: Of the prior, for messages.

    Raises:
        NumericalError: The matrix is not finite, or no jitter helped.
    """
    added = 0.0
    for jitter in JITTERS:
        if jitter > 0.0:
            covariance.diagonal().add_(jitter - added)
            added = jitter
        try:
            eigenvalues, vectors = torch.linalg.eigh(covariance)
        except torch.linalg.LinAlgError:  # pyright: ignore[reportPrivateImportUsage]
            logger.warning("%s: eigendecomposition failed with jitter %g", kind, jitter)
            continue
        if torch.isfinite(eigenvalues).all():
            return eigenvalues.clamp_(min=0.0), vectors
    raise NumericalError(_diagnosis(covariance, kind))


def _diagnosis(covariance: Tensor, kind: str) -> str:
    rows = (~torch.isfinite(covariance)).any(1).nonzero().flatten().tolist()
    if rows:
        return (
            f"{kind}: the kernel matrix of {len(covariance)} states is not finite, first in row "
            f"{rows[0]}; check that state for extreme values, or lower learning_rate"
        )
    covariance.diagonal().fill_(-torch.inf)
    closest = int(covariance.argmax())
    first, second = divmod(closest, len(covariance))
    return (
        f"{kind}: the kernel matrix of {len(covariance)} states has no eigendecomposition up to "
        f"jitter {JITTERS[-1]:g}; the closest states are rows {first} and {second}: thin out "
        f"near-duplicates, or take a rougher kernel"
    )
