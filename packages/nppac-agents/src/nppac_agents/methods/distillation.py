"""A policy that starts distilled from its prior (Rudner et al. 2021, appendix I).

    minimise E_s [KL(pi(.|s) || pi0(.|s))]

over minibatches of shuffled demonstration states, with the optimizer that goes on online.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from nppac_agents import parts
from nppac_agents.phase import Losses, Phase

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.replay import TensorReplay
    from nppac_agents.methods.asks_prior import AsksPrior


def distillation(method: AsksPrior, agent: Agent, epochs: int, batch_size: int) -> Phase:
    """`epochs` passes over the demonstrated states."""
    states = agent.demonstrated_states(agent.device)
    passes = parts.shuffled_passes(len(states), batch_size, agent.noise)
    prior = functools.cache(lambda: method.normal(*agent.moments(states)))

    def batch(agent: Agent, replay: TensorReplay | None) -> tuple[Tensor, Any]:
        rows = next(passes)
        if agent.observed is None:
            return states[rows], method.answer(agent, states[rows])
        return states[rows], parts.DiagonalGaussian(prior().mean[rows], prior().std[rows])

    updates = epochs * math.ceil(len(states) / batch_size)
    update = functools.partial(distil, method)
    return Phase("pretrain", updates, update=update, batch=batch, prepares=True)


def distil(method: AsksPrior, agent: Agent, batch: tuple[Tensor, Any]) -> Losses:
    """One step of the policy towards the prior at states (B, S)."""
    states, prior = batch
    policy = agent.parts.policy(states, prior)
    actions, log_prob = policy.sample(agent.noise)
    divergence = method.kappa(policy, actions, log_prob, prior).mean()
    return {"kl": divergence, "actor_grad_norm": agent.parts.policy.descend(divergence)}
