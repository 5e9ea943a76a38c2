"""The seam between priors and those who use them: what a config returns is checked here once.

`PriorConfig.fit` returns what passes `checked_fit`; whoever rebuilds a prior of any kind does it
through `rebuilt`. Later results are checked by `Prior` itself where that costs nothing: type,
shape, and as ever that they are finite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nppac_priors.plugin_origin import broken_contract, described
from nppac_priors.prior import GaussianPrior, Prior, action_rows, fault

if TYPE_CHECKING:
    import torch

    from nppac_priors.config import PriorConfig

_TRIED = 16
"""States of the demonstrations that a new prior is asked about."""


def checked_fit(
    config: PriorConfig,
    prior: object,
    states: np.ndarray | torch.Tensor,
    actions: np.ndarray | torch.Tensor,
) -> Prior:
    """What a config's `_fit` returned for states (N, S) and actions (N, A), tried out on a few.

    Raises:
        PluginFaultError, ContractError: It is no prior of S states and A actions.
    """
    prior = _required(config, prior, "_fit")
    if config.gaussian not in (None, isinstance(prior, GaussianPrior)):
        raise fault(
            prior,
            f"gaussian is {config.gaussian} in its config, and _fit() returned {described(prior)}",
        )
    dimensions = prior.state_dim, prior.action_dim
    expected = np.shape(states)[-1], np.shape(actions)[-1]
    if dimensions != expected:
        raise fault(
            prior,
            f"fitted to {expected[0]} state and {expected[1]} action dimensions, it says that it "
            f"has {dimensions[0]} and {dimensions[1]}",
        )
    _try_out(prior, states[:_TRIED])
    return prior


def rebuilt(
    config: PriorConfig, tensors: dict[str, torch.Tensor], *, device: str | torch.device
) -> Prior:
    """The prior that a config rebuilds from its tensors.

    Raises:
        PluginFaultError, ContractError: What it returns is no prior.
    """
    return _required(config, config.from_state(tensors, device=device), "from_state")


def _required(config: PriorConfig, prior: object, method: str) -> Prior:
    if not isinstance(prior, Prior):
        raise broken_contract(
            config, "prior", f"{method}() returned {described(prior)}, has to return a Prior"
        )
    missing = [n for n in ("config", "state_dim", "action_dim") if not hasattr(prior, n)]
    if missing:
        raise broken_contract(
            config,
            "prior",
            f"{type(prior).__name__} has no {', '.join(missing)}; it has to call super().__init__",
        )
    return prior


def _try_out(prior: Prior, states: np.ndarray | torch.Tensor) -> None:
    """Ask for everything once; what a class overrides is held to the same shapes."""
    prior(states)
    if isinstance(prior, GaussianPrior):
        for name, values in zip(("mean", "std"), prior.moments(states), strict=True):
            action_rows(prior, values, name, len(states))
        action_rows(prior, prior.mean(states), "mean", len(states))
