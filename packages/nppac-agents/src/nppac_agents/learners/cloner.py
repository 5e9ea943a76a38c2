"""The agent that learns from demonstrated actions alone."""

from __future__ import annotations

import torch
from nppac_envs import Demonstrations
from tianshou.algorithm.algorithm_base import OfflineAlgorithm

from nppac_agents.acting import ActingPolicy
from nppac_agents.agent import Agent
from nppac_agents.algorithms.bc import BCConfig
from nppac_agents.config import Spaces
from nppac_agents.experience.demonstrated import demonstrated_transitions
from nppac_agents.experience.transitions import Transitions
from nppac_agents.learning.networks import Standardiser
from nppac_agents.learning.policy_network import PolicyNetwork
from nppac_agents.learning.tensors import as_tensor, spawn_generator
from nppac_agents.phase import Losses, Phase


class Cloner(Agent, OfflineAlgorithm):
    """A policy and its optimizer; the replay holds nothing but the demonstrations."""

    def __init__(
        self,
        method: BCConfig,
        spaces: Spaces,
        demonstrations: Demonstrations,
        *,
        device: str | torch.device,
        generator: torch.Generator,
    ) -> None:
        states = as_tensor(demonstrations.states, "cpu") if method.standardise_states else None
        network = PolicyNetwork(
            spaces.state_dim,
            spaces.action_dim,
            method.policy_hidden,
            start="fresh",
            squash=False,
            standardiser=Standardiser(spaces.state_dim, states),
            generator=generator,
        )
        policy = ActingPolicy(
            network.to(device),
            spaces,
            observed=None,
            prior_scale="std",
            device=device,
            generator=spawn_generator(generator, device),
        )
        super().__init__(
            policy, demonstrations=demonstrated_transitions(demonstrations, None, device)
        )
        self.method = method
        self.batch_size = method.batch_size
        self._add_optimizer(
            "policy", network, method.policy_learning_rate, method.policy_weight_decay
        )

    def phases(self) -> list[Phase]:
        """Offline, and nothing after it."""
        return [Phase("offline", updates=self.method.updates)]

    def step(self, batch: Transitions) -> Losses:
        """One update of the policy."""
        policy = self.policy.network(batch.states, None, None)
        loss = self.method.loss(policy, batch)
        norm = self.minimise("policy", loss)
        self.updates += 1
        return {
            "actor_loss": loss.detach(),
            "actor_grad_norm": norm,
            "actor_std": policy.std.detach().mean(),
        }
