"""An exact Gaussian process as a sparse one with the same hyper-parameters, for fast queries.

The sparse posterior is conditioned on the same data through fewer points, so that far from all data
it is the same prior. With as many points as states it is the exact one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nppac_priors.demonstration_rows import DemonstrationRows
from nppac_priors.errors import ConfigError
from nppac_priors.gp.exact.prior import ExactGPPrior
from nppac_priors.gp.sparse.conditioning import condition
from nppac_priors.gp.sparse.config import SparseGPConfig
from nppac_priors.gp.sparse.inducing import choose_inducing_points
from nppac_priors.gp.sparse.prior import SparseGPPrior
from nppac_priors.prior import GaussianPrior
from nppac_priors.wrappers.prior import WrapperPrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nppac_priors.deployed.policy import DeployedPolicy


def distilled(prior: GaussianPrior, points: int) -> GaussianPrior:
    """A prior with its exact Gaussian processes made sparse, those that it wraps too.

    Args:
        prior: `exact-gp`, or a wrapper around some.
        points: Inducing points of each, at most.

    Raises:
        ConfigError: There is none in it.
        NumericalError: A factorisation became non-finite.
    """
    found = _distilled(prior, points)
    if found is prior:
        raise ConfigError(
            f"prior {prior.config.kind!r}: holds no exact-gp, the one kind that is distilled"
        )
    return found


def _distilled(prior: GaussianPrior, points: int) -> GaussianPrior:
    if isinstance(prior, ExactGPPrior):
        return _sparse(prior, points)
    if not isinstance(prior, WrapperPrior):
        return prior
    parts = {name: _distilled(part, points) for name, part in prior.parts.items()}
    if all(parts[name] is part for name, part in prior.parts.items()):
        return prior
    wrapped = prior.config.wrap(parts)
    assert isinstance(wrapped, GaussianPrior)
    return wrapped


def _sparse(prior: ExactGPPrior, points: int) -> SparseGPPrior:
    shared = prior.config.model_dump(include={"kernel", "task_covariance", "rank"})
    config = SparseGPConfig.model_validate({**shared, "inducing_points": points})
    hyper, data = prior.hyperparameters, prior.data
    states = data.states.double()
    inducing = choose_inducing_points(config.kernel, states, hyper.lengthscale, points)
    rows = DemonstrationRows(data.states, data.actions, prior.device)
    factors = condition(config.kernel, hyper, inducing, rows, data.weights)
    return SparseGPPrior(config, hyper, inducing, factors, prior.data_hash)


@dataclass(frozen=True)
class Deviation:
    """How far a distilled policy is from its teacher, over states and action dimensions.

    Attributes:
        action_rms: Root mean square difference of the actions, as a share of their range.
        action_largest: The largest.
        mean_rms: That of the prior's means, in standard deviations of the teacher's.
        std_ratio: The distilled prior's standard deviation over the teacher's: 5, 50 and 95 %
            quantile.
    """

    action_rms: float
    action_largest: float
    mean_rms: float
    std_ratio: tuple[float, float, float]

    def __str__(self) -> str:
        """In a sentence."""
        low, middle, high = self.std_ratio
        action = f"{self.action_rms:.2%} of its range ({self.action_largest:.1%} at most)"
        std = f"{middle:.2f} times the exact one ({low:.2f} to {high:.2f} for nine in ten)"
        return (
            f"the action is off by {action}, the prior's mean by {self.mean_rms:.2f} of its std, "
            f"both root mean squares; its std is {std}"
        )


def deviation(
    policy: DeployedPolicy, teacher: DeployedPolicy, states: NDArray[np.float32]
) -> Deviation:
    """Compare two policies that have a prior at states (B, S)."""
    spec = policy.spec
    low, high = np.array(spec.action_low or -1.0), np.array(spec.action_high or 1.0)
    off = np.abs(policy.act(states) - teacher.act(states)) / (high - low)
    ours, theirs = policy.distribution(states).prior, teacher.distribution(states).prior
    assert ours is not None
    assert theirs is not None
    apart = (ours.mean - theirs.mean) / theirs.std
    ratio = np.quantile(ours.std / theirs.std, (0.05, 0.5, 0.95))
    return Deviation(
        action_rms=_root_mean_square(off),
        action_largest=float(off.max()),
        mean_rms=_root_mean_square(apart),
        std_ratio=(float(ratio[0]), float(ratio[1]), float(ratio[2])),
    )


def _root_mean_square(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
