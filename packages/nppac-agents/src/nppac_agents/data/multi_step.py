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

from nppac_agents.data.layout import WHOLE, Layout
from nppac_agents.data.transitions import Transitions


def multi_step(
    read: Callable[[Tensor, slice], Tensor],
    start: Tensor,
    layout: Layout,
    after: Callable[[Tensor], tuple[Tensor, Tensor]],
) -> Transitions:
    """The n-step transitions that begin at the rows `start` (B,), n of `layout.discounting`.

    Args:
        read: gives columns of the stored transitions at rows (B,).
        start: rows (B,).
        layout: of the rows.
        after: gives for rows (B,) those of the next step of the same environment, and whether
            they hold nothing yet.
    """
    gamma, n_steps = layout.discounting.gamma, layout.discounting.n_steps
    rows: list[Tensor] = []
    last = start
    alive = torch.ones_like(start, dtype=torch.bool)
    ended, rewards, steps = ~alive, torch.zeros(()), torch.zeros(())
    for step in range(n_steps):
        if step:
            index, nothing = after(last)
            alive = alive & ~ended & ~nothing
            last = torch.where(alive, index, last)  # a row that holds nothing yet is never read
        whole = step in (0, n_steps - 1)  # of those in between the outcome is enough
        rows.append(read(last, WHOLE if whole else layout.outcome))
        step_rewards, ended = layout.outcomes(rows[-1][:, layout.outcome] if whole else rows[-1])
        rewards = rewards + alive * gamma**step * step_rewards
        steps = steps + alive
    return layout.unpack(rows[0], followed_by=(rows[-1], rewards, steps))
