"""The priors of this package, provided through the same hook as everybody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nppac_priors.bayesian_mlp.config import BayesianMLPConfig
from nppac_priors.ensemble.config import EnsembleConfig
from nppac_priors.exact_gp.config import ExactGPConfig
from nppac_priors.gaussian_mlp.config import GaussianMLPConfig
from nppac_priors.hookspecs import hookimpl
from nppac_priors.sparse_gp.config import SparseGPConfig
from nppac_priors.wrappers.config import (
    ConstantVarianceConfig,
    MeanAndScaleConfig,
    VarianceFloorConfig,
)

if TYPE_CHECKING:
    from nppac_priors.config import PriorConfig


@hookimpl
def nppac_prior_configs() -> list[type[PriorConfig]]:
    """Return the built-in prior configurations."""
    return [
        ExactGPConfig,
        SparseGPConfig,
        GaussianMLPConfig,
        EnsembleConfig,
        BayesianMLPConfig,
        VarianceFloorConfig,
        ConstantVarianceConfig,
        MeanAndScaleConfig,
    ]
