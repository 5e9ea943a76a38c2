"""N-step transitions: the rewards of up to n steps, and the state that follows them.

A transition that starts in s_0 adds up r_0 + gamma r_1 + ... until n rewards are in, the episode
ends, or nothing later is stored; s' is the state after the last of these, and its value counts by
gamma^k (1 - d). Actions in between are those that were stored: there is no correction for a policy
that has changed since, and a regulariser's price in the states between is left out.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nppac_agents.data.layout import Layout
from nppac_agents.data.transitions import Transitions


def multi_step(
    read: Callable[[Tensor], Tensor],
    start: Tensor,
    layout: Layout,
    after: Callable[[Tensor], tuple[Tensor, Tensor]],
) -> Transitions:
    """The n-step transitions that begin at the rows `start` (B,), n of `layout.discounting`.

    Args:
        read: gives the stored transitions (B, width) at rows (B,).
        start: rows (B,).
        layout: of the rows.
        after: gives for rows (B,) those of the next step of the same environment, and whether
            they hold nothing yet.
    """
    gamma, last = layout.discounting.gamma, start
    first = read(start)
    alive = torch.ones_like(start, dtype=torch.bool)
    rewards = first.new_zeros(len(start))
    steps = first.new_zeros(len(start))
    ended, outcome = torch.zeros_like(alive), first
    for step in range(layout.discounting.n_steps):
        if step:
            index, nothing = after(last)
            alive = alive & ~ended & ~nothing
            last = torch.where(alive, index, last)  # a row that holds nothing yet is never read
            outcome = read(last)
        step_rewards, ended = layout.outcomes(outcome)
        rewards = rewards + alive * gamma**step * step_rewards
        steps = steps + alive
    return layout.unpack(first, followed_by=(outcome, rewards, steps))
