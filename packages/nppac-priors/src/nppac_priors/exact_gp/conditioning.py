"""The posterior's factors: one symmetric eigendecomposition of the kernel matrix, in float64."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nppac_priors.errors import DataError, NumericalError
from nppac_priors.exact_gp.config import KernelName
from nppac_priors.exact_gp.kernels import augment, evaluate, squared_distances
from nppac_priors.exact_gp.model import Hyperparameters
from nppac_priors.exact_gp.training_data import TrainingData

logger = logging.getLogger(__name__)

_JITTERS = (0.0, 1e-10, 1e-8, 1e-6)
_MATRICES = 4
"""N x N float64 matrices alive at the peak: K, its eigenvectors and the solver's workspace."""


@dataclass(frozen=True)
class Factors:
    """What prediction needs of the data; N points, r modes, A actions.

    Attributes:
        mean_weights: (N, A); prior mean plus kernel values times these is the posterior mean.
        modes: (N, r); kernel values times these are the coordinates c.
        variance_weights: (r, A); c squared times these is the variance that the data explain.
    """

    mean_weights: Tensor
    modes: Tensor
    variance_weights: Tensor


@torch.no_grad()
def condition(
    kernel: KernelName,
    hyperparameters: Hyperparameters,
    data: TrainingData,
    variance_tolerance: float = 0.0,
) -> Factors:
    """Condition the GP on all data; float64 throughout.

    With K = U diag(l) U' and D^-1/2 B D^-1/2 = V diag(g) V', everything that the posterior needs is
    diagonal in the basis (U, V). Weights enter as K <- w^1/2 K w^1/2, which is noise D / w.

    Args:
        kernel: Data kernel.
        hyperparameters: On the device of the data.
        data: N points.
        variance_tolerance: Modes go as long as no action's variance moves by more than this
            fraction of its noise variance, at any state.

    Raises:
        DataError: The matrices do not fit into memory.
        NumericalError: The eigendecomposition failed with every jitter.
    """
    check_memory(len(data.states), data.states.device)
    row_scale = data.weights.double().sqrt()[:, None]
    eigenvalues, modes = _eigendecompose(
        _covariance(kernel, hyperparameters, data.states).mul_(row_scale).mul_(row_scale.T)
    )
    root = hyperparameters.noise_variance.sqrt()
    g, v = torch.linalg.eigh(hyperparameters.task_covariance / (root[:, None] * root))
    g = g.clamp_min(0.0)
    gain = g / (torch.outer(eigenvalues, g) + 1.0)
    whitened = row_scale * (data.actions.double() - hyperparameters.mean) / root
    rotated = modes.T @ whitened @ v
    modes.mul_(row_scale)
    mean_weights = modes @ ((rotated * gain) @ (v.T * root))
    variance_weights = (gain * g) @ (v.T.square() * hyperparameters.noise_variance)
    kept = _kept_modes(eigenvalues, variance_weights, hyperparameters, variance_tolerance)
    logger.info("exact-gp: %d of %d modes kept", int(kept.sum()), len(kept))
    if not kept.all():
        modes, variance_weights = modes[:, kept], variance_weights[kept]
    return Factors(mean_weights, modes, variance_weights)


def _covariance(kernel: KernelName, hyperparameters: Hyperparameters, states: Tensor) -> Tensor:
    states = states.double()
    scaled = (states - states.mean(0)) / hyperparameters.lengthscale
    covariance = evaluate(kernel, squared_distances(scaled, augment(scaled)))
    covariance.diagonal().fill_(1.0)
    return covariance


def _kept_modes(
    eigenvalues: Tensor,
    variance_weights: Tensor,
    hyperparameters: Hyperparameters,
    tolerance: float,
) -> Tensor:
    """Mask (r,) of modes to keep.

    The Schur complement k(s,s) - sum_n c_n^2 / l_n is never negative, so the c_n^2 / l_n of any
    set of modes sum to at most 1: dropping the set changes variance i by at most max_n l_n w_ni.
    """
    influence = eigenvalues[:, None] * variance_weights / hyperparameters.noise_variance
    return influence.amax(1) > tolerance


def _eigendecompose(covariance: Tensor) -> tuple[Tensor, Tensor]:
    added = 0.0
    for jitter in _JITTERS:
        covariance.diagonal().add_(jitter - added)
        added = jitter
        try:
            eigenvalues, vectors = torch.linalg.eigh(covariance)
        except torch.linalg.LinAlgError:  # pyright: ignore[reportPrivateImportUsage]
            logger.warning("exact-gp: eigendecomposition failed with jitter %g", jitter)
            continue
        if torch.isfinite(eigenvalues).all():
            return eigenvalues.clamp_(min=0.0), vectors
    raise NumericalError(
        f"exact-gp: the kernel matrix of {len(covariance)} states has no eigendecomposition up to "
        f"jitter {_JITTERS[-1]:g}; check the states for extreme values"
    )


def check_memory(n_points: int, device: torch.device) -> None:
    """Refuse before allocation what cannot fit.

    Raises:
        DataError: With the need and what is free.
    """
    need = _MATRICES * 8 * n_points**2
    free = free_memory(device)
    if need > free:
        raise DataError(
            f"exact-gp: {n_points} states need {need / 2**30:.1f} GiB on {device}, "
            f"{free / 2**30:.1f} GiB are free; take fewer demonstrations or a sparse prior"
        )


def free_memory(device: torch.device) -> float:
    """Bytes that an allocation can hope for; infinite where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return 1024 * next(int(x.split()[1]) for x in lines if x.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return math.inf
