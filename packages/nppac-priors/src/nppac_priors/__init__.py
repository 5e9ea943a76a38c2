"""Behavioural priors: calibrated distributions over actions, given states.

Fit one with a config (`ExactGPConfig().fit(states, actions)`), store it with `prior.save(path)`
and `load_prior(path)`. Public names are imported when they are first used, so importing this
package imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nppac_priors.config import ComponentConfig as ComponentConfig
    from nppac_priors.config import PriorConfig as PriorConfig
    from nppac_priors.cvae.config import CVAEConfig as CVAEConfig
    from nppac_priors.deployed.hub import pull_policy as pull_policy
    from nppac_priors.deployed.hub import push_policy as push_policy
    from nppac_priors.deployed.loading import load_policy as load_policy
    from nppac_priors.deployed.policy import DeployedPolicy as DeployedPolicy
    from nppac_priors.episodes import Episodes as Episodes
    from nppac_priors.episodes import HeldOutSplit as HeldOutSplit
    from nppac_priors.episodes import read_episodes as read_episodes
    from nppac_priors.errors import ConfigError as ConfigError
    from nppac_priors.errors import DataError as DataError
    from nppac_priors.errors import DeviceError as DeviceError
    from nppac_priors.errors import DuplicateKindError as DuplicateKindError
    from nppac_priors.errors import NppacError as NppacError
    from nppac_priors.errors import NumericalError as NumericalError
    from nppac_priors.errors import PluginError as PluginError
    from nppac_priors.errors import PluginLoadError as PluginLoadError
    from nppac_priors.errors import PolicyFileError as PolicyFileError
    from nppac_priors.errors import PriorFileError as PriorFileError
    from nppac_priors.errors import UnknownKindError as UnknownKindError
    from nppac_priors.given.file import FilePriorConfig as FilePriorConfig
    from nppac_priors.given.program import ProgramPriorConfig as ProgramPriorConfig
    from nppac_priors.gp.exact.config import ExactGPConfig as ExactGPConfig
    from nppac_priors.gp.sparse.config import SparseGPConfig as SparseGPConfig
    from nppac_priors.hookspecs import hookimpl as hookimpl
    from nppac_priors.loading import load_prior as load_prior
    from nppac_priors.networks.bayesian.config import BayesianMLPConfig as BayesianMLPConfig
    from nppac_priors.networks.ensemble import EnsembleConfig as EnsembleConfig
    from nppac_priors.networks.gaussian import GaussianMLPConfig as GaussianMLPConfig
    from nppac_priors.prior import GaussianPrior as GaussianPrior
    from nppac_priors.prior import Prior as Prior
    from nppac_priors.progress import Progress as Progress
    from nppac_priors.registry import ByKind as ByKind
    from nppac_priors.registry import PriorField as PriorField
    from nppac_priors.registry import Registry as Registry
    from nppac_priors.registry import prior_registry as prior_registry
    from nppac_priors.storage import save_prior as save_prior
    from nppac_priors.wrappers.config import ConstantVarianceConfig as ConstantVarianceConfig
    from nppac_priors.wrappers.config import MeanAndScaleConfig as MeanAndScaleConfig
    from nppac_priors.wrappers.config import VarianceFloorConfig as VarianceFloorConfig
    from nppac_priors.wrappers.prior import ConstantVariance as ConstantVariance
    from nppac_priors.wrappers.prior import MeanAndScale as MeanAndScale
    from nppac_priors.wrappers.prior import VarianceFloor as VarianceFloor

_MODULES = {
    "networks.bayesian.config": ["BayesianMLPConfig"],
    "config": ["ComponentConfig", "PriorConfig"],
    "cvae.config": ["CVAEConfig"],
    "deployed.hub": ["pull_policy", "push_policy"],
    "deployed.loading": ["load_policy"],
    "deployed.policy": ["DeployedPolicy"],
    "networks.ensemble": ["EnsembleConfig"],
    "episodes": ["Episodes", "HeldOutSplit", "read_episodes"],
    "errors": [
        "ConfigError",
        "DataError",
        "DeviceError",
        "DuplicateKindError",
        "NppacError",
        "NumericalError",
        "PluginError",
        "PluginLoadError",
        "PolicyFileError",
        "PriorFileError",
        "UnknownKindError",
    ],
    "given.file": ["FilePriorConfig"],
    "given.program": ["ProgramPriorConfig"],
    "gp.exact.config": ["ExactGPConfig"],
    "networks.gaussian": ["GaussianMLPConfig"],
    "hookspecs": ["hookimpl"],
    "loading": ["load_prior"],
    "prior": ["GaussianPrior", "Prior"],
    "progress": ["Progress"],
    "registry": ["ByKind", "PriorField", "Registry", "prior_registry"],
    "gp.sparse.config": ["SparseGPConfig"],
    "storage": ["save_prior"],
    "wrappers.config": ["ConstantVarianceConfig", "MeanAndScaleConfig", "VarianceFloorConfig"],
    "wrappers.prior": ["ConstantVariance", "MeanAndScale", "VarianceFloor"],
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from nppac_priors.plugin_loading import version_of

        return version_of("nppac-priors")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF, "__version__"])
