"""What critics promise beside what followed, along stretches of episodes as they happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nppac_agents.parts.advantages import backward_sums
from nppac_agents.parts.critics import Critics

if TYPE_CHECKING:
    from nppac_agents.data.transitions import Transitions


@torch.no_grad()
def promised_and_returned(
    critic: Critics, seen: Transitions, gamma: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Values (N,) of transitions in time order, the discounted returns, and where stretches begin.

    Both in units of reward. What follows a stretch that did not terminate is worth what the critics
    say of its last step.
    """
    ends = (seen.terminated + seen.truncated).clamp(max=1.0)
    first, last = torch.cat([ends.new_ones(1), ends[:-1]]).bool(), ends.bool()
    values = critic(seen.states, seen.actions).mean(0) * critic.unit
    rewards = seen.rewards.clone()
    rewards[last] += gamma * (1.0 - seen.terminated[last]) * values[last]
    return values, backward_sums(rewards, gamma * (1.0 - ends)), first


def unexplained(critic: Critics, seen: Transitions, gamma: float) -> float:
    """Share of the variance of returns that the critics do not explain; 0 where returns are equal.

    E [(Q - G)^2] / Var G over transitions in time order; it may be above 1.
    """
    values, returned, _ = promised_and_returned(critic, seen, gamma)
    variance = returned.var(correction=0)
    return ((values - returned).square().mean() / variance).item() if variance > 0 else 0.0
