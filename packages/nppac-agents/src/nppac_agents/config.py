"""The base of every agent's configuration, and the spaces that an agent is built for.

Importing this module costs nothing: torch and Tianshou come in when ``build`` is called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from nppac_priors.config import ComponentConfig

if TYPE_CHECKING:
    import gymnasium as gym
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior

    from nppac_agents.agent import Agent


class Spaces(NamedTuple):
    """What an agent sees and does: both spaces of one (not vectorised) environment."""

    observation: gym.spaces.Box
    action: gym.spaces.Box

    @property
    def state_dim(self) -> int:
        """S."""
        return self.observation.shape[0]

    @property
    def action_dim(self) -> int:
        """A."""
        return self.action.shape[0]


class AgentConfig(ComponentConfig, ABC):
    """Configuration of one agent: ``kind`` selects it in a file, ``build`` makes the agent."""

    uses_prior: ClassVar[bool] = True
    """Whether ``build`` may be given a prior; an experiment that names one is refused if not."""

    @abstractmethod
    def build(
        self,
        spaces: Spaces,
        prior: Prior | None,
        demonstrations: Demonstrations | None,
        *,
        device: str | torch.device = "cpu",
        generator: torch.Generator,
    ) -> Agent:
        """Builds the untrained agent.

        Args:
            spaces: of the environment; actions in [-1, 1].
            prior: the behavioural prior, on ``device``, for agents that use one.
            demonstrations: for agents that learn from them beyond the prior.
            device: where the agent learns and acts.
            generator: a CPU generator; initial weights and all later noise derive from it.

        Raises:
            ConfigError: when the parts do not fit each other; the message says which.
        """
