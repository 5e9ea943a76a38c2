"""An exact Gaussian process as a sparse one with the same hyper-parameters, for fast queries.

The sparse posterior is conditioned on the same data through fewer points, so that far from all data
it is the same prior. With as many points as states it is the exact one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nppac_priors.demonstration_rows import DemonstrationRows
from nppac_priors.errors import ConfigError
from nppac_priors.gp.exact.prior import ExactGPPrior
from nppac_priors.gp.kernels import PointKernel
from nppac_priors.gp.sparse.conditioning import condition
from nppac_priors.gp.sparse.config import SparseGPConfig
from nppac_priors.gp.sparse.inducing import choose_inducing_points
from nppac_priors.gp.sparse.prior import SparseGPPrior
from nppac_priors.prior import GaussianPrior
from nppac_priors.wrappers.prior import WrapperPrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nppac_priors.deployed.policy import DeployedPolicy


def distilled(
    prior: GaussianPrior, points: int, visited: NDArray[np.float32] | None = None
) -> GaussianPrior:
    """A prior with its exact Gaussian processes made sparse, those that it wraps too.

    Args:
        prior: `exact-gp`, or a wrapper around some.
        points: Inducing points of each, at most, chosen among the demonstrated states.
        visited: States (V, S) that a policy visits; the demonstrated states that say more of these
            are chosen rather than others.

    Raises:
        ConfigError: There is none in it.
        NumericalError: A factorisation became non-finite.
    """
    where = None if visited is None else torch.from_numpy(visited).to(prior.device)
    found = _distilled(prior, points, where)
    if found is prior:
        raise ConfigError(
            f"prior {prior.config.kind!r}: holds no exact-gp, the one kind that is distilled"
        )
    return found


def _distilled(prior: GaussianPrior, points: int, visited: Tensor | None) -> GaussianPrior:
    if isinstance(prior, ExactGPPrior):
        return _sparse(prior, points, visited)
    if not isinstance(prior, WrapperPrior):
        return prior
    parts = {name: _distilled(part, points, visited) for name, part in prior.parts.items()}
    if all(parts[name] is part for name, part in prior.parts.items()):
        return prior
    wrapped = prior.config.wrap(parts)
    assert isinstance(wrapped, GaussianPrior)
    return wrapped


def _sparse(prior: ExactGPPrior, points: int, visited: Tensor | None) -> SparseGPPrior:
    shared = prior.config.model_dump(include={"kernel", "task_covariance", "rank"})
    config = SparseGPConfig.model_validate({**shared, "inducing_points": points})
    hyper, data = prior.hyperparameters, prior.data
    states = data.states.double()
    importance = None if visited is None else _importance(prior, visited)
    inducing = choose_inducing_points(config.kernel, states, hyper.lengthscale, points, importance)
    rows = DemonstrationRows(data.states, data.actions, prior.device)
    factors = condition(config.kernel, hyper, inducing, rows, data.weights)
    return SparseGPPrior(config, hyper, inducing, factors, prior.data_hash)


def _importance(prior: ExactGPPrior, visited: Tensor) -> Tensor:
    """How much each demonstrated state (N,) says of the visited ones (V, S), and of itself.

    The root of the sum of its squared correlations with them. (Visited states as inducing points
    would serve them less: where no data are near they say nothing.)
    """
    lengthscale = prior.hyperparameters.lengthscale
    kernel_values = PointKernel(prior.config.kernel, prior.data.states.double(), lengthscale)
    return (1.0 + kernel_values(visited.double()).square().sum(0)).sqrt()


class Off(NamedTuple):
    """Absolute differences over states and action dimensions, in shares of the actions' range."""

    mean: float
    largest: float

    def __str__(self) -> str:
        """Both in per cent."""
        return f"{self.mean:.2%} ({self.largest:.1%})"


class Deviation(NamedTuple):
    """How far a distilled policy and its prior are from what they were distilled from."""

    policy_mean: Off
    policy_std: Off
    prior_mean: Off
    prior_std: Off

    def __str__(self) -> str:
        """In a sentence."""
        return (
            f"the policy's mean is off by {self.policy_mean}, its std by {self.policy_std}, the "
            f"prior's mean by {self.prior_mean}, its std by {self.prior_std}: of the range of the "
            "actions, on average (at most)"
        )

    def as_json(self) -> dict[str, dict[str, float]]:
        """For a card."""
        return {name: off._asdict() for name, off in self._asdict().items()}


def deviation(
    policy: DeployedPolicy, teacher: DeployedPolicy, states: NDArray[np.float32]
) -> Deviation:
    """Compare two policies that have a prior at states (B, S)."""
    spec = policy.spec
    low, high = np.array(spec.action_low or -1.0), np.array(spec.action_high or 1.0)
    ours, theirs = (_moments(one, states) for one in (policy, teacher))
    apart = [np.abs(a - b) / (high - low) for a, b in zip(ours, theirs, strict=True)]
    return Deviation(*(Off(float(off.mean()), float(off.max())) for off in apart))


def _moments(policy: DeployedPolicy, states: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    found = policy.distribution(states)
    assert found.prior is not None
    return [found.policy.mean, found.policy.std, found.prior.mean, found.prior.std]
