"""What cannot work whatever the data are: told before anything is read or fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nppac_priors.errors import ConfigError

from nppac_agents.spaces import Spaces

if TYPE_CHECKING:
    from nppac_agents.experiment.config import ExperimentConfig


def require_consistent(config: ExperimentConfig) -> None:
    """Looks whether the parts of an experiment go together, and loggers can be opened here.

    Raises:
        ConfigError: they do not.
    """
    config.logging.require()
    agent = config.agent
    if config.prior is not None and not agent.uses_prior:
        raise ConfigError(f"prior: agent {agent.kind!r} uses none; set prior to null")
    if config.demonstrations is None:
        agent.require(_some_spaces(), None, None)
    elif config.prior is None and agent.uses_prior:
        agent.require_prior(_some_spaces(), None)
    if config.env is None and config.training.env_steps and agent.trainer != "offline":
        raise ConfigError(without_environment(agent.kind))


def without_environment(kind: str) -> str:
    """What is told of an agent that interacts with an environment that there is not."""
    return (
        f"env: agent {kind!r} interacts with an environment; name one, or set training.env_steps "
        "to 0 for what it learns from demonstrations alone"
    )


def _some_spaces() -> Spaces:
    """Spaces of any size: no method looks at them before it has a prior."""
    import numpy as np
    from gymnasium.spaces import Box

    return Spaces(Box(-np.inf, np.inf, (1,), np.float32), Box(-1.0, 1.0, (1,), np.float32))
