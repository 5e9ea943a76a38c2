"""The priors of this package, provided through the same hook as everybody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nppac_priors.cvae.config import CVAEConfig
from nppac_priors.given.file import FilePriorConfig
from nppac_priors.given.program import ProgramPriorConfig
from nppac_priors.gp.exact.config import ExactGPConfig
from nppac_priors.gp.sparse.config import SparseGPConfig
from nppac_priors.hookspecs import hookimpl
from nppac_priors.networks.bayesian.config import BayesianMLPConfig
from nppac_priors.networks.ensemble import EnsembleConfig
from nppac_priors.networks.gaussian import GaussianMLPConfig
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
        CVAEConfig,
        VarianceFloorConfig,
        ConstantVarianceConfig,
        MeanAndScaleConfig,
        FilePriorConfig,
        ProgramPriorConfig,
    ]
