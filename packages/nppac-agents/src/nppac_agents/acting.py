"""How an agent acts: a Tianshou policy around the policy network and the observed prior."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from nppac_priors.plugin_origin import broken_contract, described
from tianshou.algorithm.algorithm_base import Policy
from tianshou.data import Batch
from torch import Tensor

from nppac_agents.config import Spaces
from nppac_agents.experience.observed_prior import ObservedPrior
from nppac_agents.learning.policy_network import ActorNetwork
from nppac_agents.learning.tensors import as_tensor

PriorScale = Literal["std", "variance"]


class ActingPolicy(Policy):
    """Samples within a training step, the distribution's mode outside of one (evaluation).

    Tianshou stores the raw action and clips it on the way to the environment. The prior is held as
    a plain object, so that no optimizer, ``train()`` or ``state_dict()`` ever reaches it.

    Args:
        network: pi(a|s).
        spaces: of the environment; the action space is [-1, 1].
        observed: the prior; none for agents without.
        prior_scale: which moment of the prior serves as the scale of its normal.
        device: of the network.
        generator: the noise of sampled actions, on ``device``.
    """

    def __init__(
        self,
        network: ActorNetwork,
        spaces: Spaces,
        *,
        observed: ObservedPrior | None,
        prior_scale: PriorScale,
        device: str | torch.device,
        generator: torch.Generator,
    ) -> None:
        super().__init__(spaces.action, spaces.observation, action_bound_method="clip")
        self.network = network
        self.observed = observed
        self.prior_scale: PriorScale = prior_scale
        self.device = torch.device(device)
        self.generator = generator
        self.state_dim = spaces.state_dim
        self.action_dim = spaces.action_dim

    def forward(self, batch: Any, state: Any = None, **_: Any) -> Batch:
        """Tianshou's entry: raw actions for ``batch.obs`` (B, S)."""
        deterministic = not self.is_within_training_step
        return Batch(act=self.act(np.asarray(batch.obs), deterministic=deterministic), state=state)

    @torch.no_grad()
    def act(self, states: np.ndarray, *, deterministic: bool) -> np.ndarray:
        """Raw (not clipped) actions (B, A) at states (B, S).

        Raises:
            PluginFaultError, ContractError: the network gives something of another shape.
        """
        inputs = as_tensor(states, self.device)
        observed = self.observed if self.network.needs_prior else None
        if deterministic:
            mean = observed.mean(states) if observed else None
            return self._checked(self.network.mode(inputs, mean), len(states))
        mean, scale = None, None
        if observed:
            mean, std = observed.moments(states)
            scale = self.scale(std)
        actions, _ = self.network(inputs, mean, scale).sample(self.generator)
        return self._checked(actions, len(states))

    def _checked(self, actions: Tensor, rows: int) -> np.ndarray:
        """So that no environment broadcasts them."""
        expected = (rows, self.action_dim)
        if not isinstance(actions, Tensor) or actions.shape != expected:
            problem = f"actions are {described(actions)}, have to be of shape {expected}"
            raise broken_contract(self.network, "policy network", problem)
        return actions.cpu().numpy()

    def scale(self, prior_std: Tensor) -> Tensor:
        """Scale of the prior's normal: its standard deviation or, as published, its variance."""
        return prior_std if self.prior_scale == "std" else prior_std.square()
