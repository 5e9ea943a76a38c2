"""Planning by a weighted mean of imagined trajectories (Argenson and Dulac-Arnold 2021, Alg. 2).

    a_t     (1 - beta) (f_b(s_t, a_t-1) + sigma e_t) + beta T_t,   e_t ~ N(0, I)
    r, s    f_m(s_t, a_t)
    R       sum_t r_t + mean_k f_R(s_H, f_b(s_H, a_H-1))
    T       sum_n exp(kappa (R_n - max R)) a_n / sum_n exp(kappa (R_n - max R))

Trajectory n asks one member of f_b and one of f_m throughout, in turns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Behaviour = Callable[[Tensor, Tensor], Tensor]
"""Actions (K, N, A) at states (K, N, S) after actions (K, N, A)"""
Model = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Rewards (K, N) and next states (K, N, S) of states (K, N, S) and actions (K, N, A)"""
Value = Callable[[Tensor, Tensor], Tensor]
"""Returns (K, N) from states (K, N, S) and actions (K, N, A) on"""


@dataclass(frozen=True)
class Planner:
    """What a plan is made of; fields as in the module's equations."""

    behaviour: Behaviour
    model: Model
    value: Value
    sigma: Tensor
    """(A,)"""
    beta: float
    kappa: float

    def trajectories(
        self, states: Tensor, noise: Tensor, plan: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Actions (H, K, N, B, A) and returns (K, N, B) of N trajectories a member.

        Args:
            states: (B, S).
            noise: standard normal (H, K, N, B or 1, A).
            plan: T (H, B, A), which actions are mixed with; None: they are not.
        """
        (_, members, size, _, width), count = noise.shape, len(states)
        shape = members, size, count
        seen = states.expand(*shape, -1).flatten(1, 2)
        before = states.new_zeros(*seen.shape[:-1], width)
        returns, actions = states.new_zeros(seen.shape[:-1]), []
        for step, drawn in enumerate(noise):
            moved = self.behaviour(seen, before).unflatten(1, shape[1:]) + self.sigma * drawn
            if plan is not None:
                moved = (1.0 - self.beta) * moved + self.beta * plan[step]
            actions.append(moved.clamp(-1.0, 1.0))
            before = actions[-1].flatten(1, 2)
            rewards, seen = self.model(seen, before)
            returns = returns + rewards
        returns = returns + self.value(seen, self.behaviour(seen, before))
        return torch.stack(actions), returns.unflatten(1, shape[1:])

    def plan(self, states: Tensor, noise: Tensor) -> Tensor:
        """T (H, B, A) from states (B, S) on, made anew with each of the `noise`.

        Args:
            states: (B, S).
            noise: standard normal (rounds, H, K, N, B or 1, A); the first round has no plan to be
                mixed with.
        """
        plan = None
        for drawn in noise:
            plan = weighted_mean(*self.trajectories(states, drawn, plan), self.kappa)
        assert plan is not None
        return plan


def weighted_mean(actions: Tensor, returns: Tensor, kappa: float) -> Tensor:
    """Actions (H, K, N, B, A) by exp(kappa R) of their trajectories' returns R (K, N, B)."""
    weights = (kappa * returns).flatten(0, 1).softmax(0)
    return torch.einsum("htba,tb->hba", actions.flatten(1, 2), weights)
