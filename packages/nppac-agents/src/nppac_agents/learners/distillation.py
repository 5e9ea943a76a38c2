"""The distilled start: the policy is fitted to the prior on the demonstrated states.

minimise E_s [KL(pi(.|s) || pi0(.|s))] over minibatches of shuffled demonstration states, with the
optimizer that goes on online (Rudner et al. 2021, appendix I).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from nppac_agents.experience.transitions import Moments
from nppac_agents.learning.tensors import as_tensor
from nppac_agents.phase import Losses, Phase

if TYPE_CHECKING:
    from nppac_agents.algorithms.nppac import NPPACConfig
    from nppac_agents.learners.actor_critic import ActorCritic


class Distillation:
    """Endless shuffled passes over the demonstrated states, with the prior's moments there."""

    def __init__(self, agent: ActorCritic, method: NPPACConfig) -> None:
        assert agent.demonstrated_states is not None
        self.agent = agent
        self.method = method
        self.n_states = len(agent.demonstrated_states)
        self._minibatches = self._shuffled_passes()

    def phase(self) -> Phase:
        """The pre-training phase."""
        batches = math.ceil(self.n_states / self.method.pretraining_batch_size)
        return Phase("pretrain", updates=self.method.pretraining_epochs * batches, step=self.step)

    def step(self) -> Losses:
        """One update of the policy."""
        states, prior = next(self._minibatches)
        policy = self.agent.policy_network(states, *prior)
        actions, log_prob = policy.sample(self.agent.noise)
        divergence = self.method.regulariser(policy, actions, log_prob, prior).mean()
        norm = self.agent.minimise("policy", divergence)
        return {"kl": divergence.detach(), "actor_grad_norm": norm}

    def _shuffled_passes(self):
        policy, noise = self.agent.policy, self.agent.noise
        assert policy.observed is not None
        assert self.agent.demonstrated_states is not None
        states = as_tensor(self.agent.demonstrated_states, policy.device)
        mean, std = policy.observed.prior.moments(states)
        scale = policy.scale(std)
        while True:
            order = torch.randperm(len(states), generator=noise, device=states.device)
            for rows in order.split(self.method.pretraining_batch_size):
                yield states[rows], Moments(mean[rows], scale[rows])
