"""Hindsight: drawn transitions with other goals than those that they were played for.

A transition (s, a, s') of a task with goals says as much about every other goal g: with g in s and
s', its reward is that of what s' reached, judged by g. `future` goals are what the episode reached
with a step drawn uniformly from the transition itself to the episode's end (Andrychowicz et al.
2017); `other` goals are those of other transitions of the minibatch, drawn by the task itself.

    r(g)   rewards of what s' reached and g
    d(g)   whether the task ends with it, where that depends on the goal; an episode that its own
           goal ended is cut there for a goal that does not end it, as by a time limit

The stored rows stay as they are. The prior was asked at states with the goals that were played for,
so it is asked anew at those that have another.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import torch
from nppac_envs.goals import Goals, Judge
from torch import Tensor

from nppac_agents.data.goal_shares import GoalShares
from nppac_agents.data.layout import Layout
from nppac_agents.data.observed_prior import ObservedPrior
from nppac_agents.data.transitions import Transitions
from nppac_agents.parts.tensors import as_tensor, uniform


class NewGoals(NamedTuple):
    """Of B transitions, those that are given another goal."""

    which: Tensor
    """(B,) bool"""
    goals: Tensor
    """(B, G), read where `which` is true"""


class Hindsight:
    """Draws other goals, and rewrites rows as if these had been played for.

    Args:
        goals: of the task.
        shares: of the method.
        layout: of the rows, with the column `steps_left`.
        generator: draws which transitions and which goals; on the device of the rows.
    """

    def __init__(
        self, goals: Goals, shares: GoalShares, layout: Layout, generator: torch.Generator
    ) -> None:
        self.goals = goals
        self.shares = shares
        self.layout = layout
        self.generator = generator
        device = generator.device
        now, after = (layout.column(name).start for name in ("states", "next_states"))
        self._reached = torch.tensor(goals.achieved, device=device) + after
        desired = torch.tensor(goals.desired, device=device)
        self._wanted, self._wanted_after = desired + now, desired + after

    def later(self, steps_left: Tensor) -> Tensor:
        """How many steps after a transition, (B,), a future goal is reached: 0 to `steps_left`."""
        drawn = uniform(steps_left.shape, self.generator) * (steps_left + 1)
        return drawn.long().minimum(steps_left)

    def new_goals(self, rows: Tensor, later_rows: Tensor) -> NewGoals:
        """For each transition (B, width) whether it has another goal, and which.

        Args:
            rows: the transitions.
            later_rows: of the same episodes, (B, width), whose goals they may be given.
        """
        drawn = uniform((len(rows),), self.generator)
        order = torch.randperm(len(rows), generator=self.generator, device=rows.device)
        is_future = (drawn < self.shares.future).unsqueeze(1)
        future, other = later_rows[:, self._reached], rows[order][:, self._wanted_after]
        which = drawn < self.shares.future + self.shares.other
        return NewGoals(which, torch.where(is_future, future, other))

    def relabelled(self, rows: Tensor, new: NewGoals) -> Tensor:
        """Rows (B, width) as they would be for the new goals, but for the prior's moments.

        Rows that keep their goal are as they were, to the bit.
        """
        given = rows.clone()
        given[:, self._wanted] = given[:, self._wanted_after] = new.goals
        given[:, self.layout.column("rewards")] = self._judged(self.goals.rewards, rows, new)
        if self.goals.terminated is not None:
            terminated, truncated = (self.layout.column(n) for n in ("terminated", "truncated"))
            ends = self._judged(self.goals.terminated, rows, new)
            given[:, truncated] = rows[:, truncated].maximum(rows[:, terminated] * (1.0 - ends))
            given[:, terminated] = ends
        return torch.where(new.which.unsqueeze(1), given, rows)

    def _judged(self, judge: Judge, rows: Tensor, new: NewGoals) -> Tensor:
        """What a task says of the rows' outcomes for the new goals, (B, 1)."""
        reached = rows[:, self._reached].cpu().numpy()
        return as_tensor(judge(reached, new.goals.cpu().numpy()), rows.device).unsqueeze(1)

    def observed_anew(
        self, batch: Transitions, new: NewGoals, observed: ObservedPrior
    ) -> Transitions:
        """The batch with what the prior says of the states that have another goal now."""
        index = new.which.nonzero().squeeze(1)
        states = torch.cat([batch.states[index], batch.next_states[index]])
        if not len(states):
            return batch
        (mean, mean_after), (std, std_after) = (m.chunk(2) for m in observed.prior.moments(states))
        moments = self.layout.prior_columns((mean, std), (mean_after, std_after))
        columns = {
            name: getattr(batch, name).index_copy(0, index, values)
            for name, values in moments.items()
        }
        return dataclasses.replace(batch, **columns)
