"""What the entry point names: the hook that provides the config class."""

from __future__ import annotations

from nppac_priors import PriorConfig, hookimpl

from nppac_knn_prior.config import KNNConfig


@hookimpl
def nppac_prior_configs() -> list[type[PriorConfig]]:
    """Return the priors of this package."""
    return [KNNConfig]
