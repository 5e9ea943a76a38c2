"""Which columns a stored transition has: one row of numbers, packed and unpacked here alone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from nppac_agents.data.discounting import Discounting
from nppac_agents.data.episode_columns import EPISODE_COLUMNS
from nppac_agents.data.observed_prior import MeanAndStd
from nppac_agents.data.transitions import Transitions

_MOMENTS = ("prior_mean", "prior_std", "next_prior_mean", "next_prior_std")
_OUTCOME = ("next_states", "terminated", "truncated", "next_prior_mean", "next_prior_std")
"""What a transition of several steps has from its last"""
WHOLE = slice(None)
"""All columns of a row"""


class Layout:
    """The stored columns in order; `discounts` follow from the ends and are not stored.

    Args:
        state_dim: S.
        action_dim: A.
        prior_dim: width of the prior's moments, A or 0.
        discounting: of the method.
        extra: further columns by their names in `episode_columns`.
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        prior_dim: int,
        discounting: Discounting,
        extra: Sequence[str] = (),
    ) -> None:
        self.discounting = discounting
        self.extra = tuple(extra)
        self.widths = {"states": state_dim, "actions": action_dim, "next_states": state_dim}
        wide = [name for name in extra if EPISODE_COLUMNS[name].of_actions]
        self._flat = {"rewards", "terminated", "truncated", *extra}.difference(wide)
        self.widths |= dict.fromkeys(("rewards", "terminated", "truncated", *extra), 1)
        self.widths |= dict.fromkeys(wide, action_dim)
        self.widths |= dict.fromkeys(_MOMENTS, prior_dim)
        ends = itertools.accumulate(self.widths.values())
        self._ends = dict(zip(self.widths, ends, strict=True))

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return sum(self.widths.values())

    def column(self, name: str) -> slice:
        """Where a column lies in a row."""
        return slice(self._ends[name] - self.widths[name], self._ends[name])

    def prior_columns(self, now: MeanAndStd, after: MeanAndStd) -> dict[str, Tensor]:
        """The four columns of the prior's moments at s and at s'."""
        return dict(zip(_MOMENTS, (*now, *after), strict=True))

    def pack(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Rows (B, width) of the named columns.

        Raises:
            KeyError: a column is missing.
        """
        return torch.cat([columns[n].reshape(-1, w) for n, w in self.widths.items() if w], dim=1)

    @property
    def outcome(self) -> slice:
        """Where a row says what its step brought: the reward, and whether the episode ended."""
        return slice(self.column("rewards").start, self.column("truncated").stop)

    @staticmethod
    def outcomes(columns: Tensor) -> tuple[Tensor, Tensor]:
        """Rewards (B,) of the columns `outcome` (B, 3), and whether episodes ended with them."""
        rewards, terminated, truncated = columns.unbind(1)
        return rewards, terminated + truncated > 0

    def unpack(
        self, rows: Tensor, followed_by: tuple[Tensor, Tensor, Tensor] | None = None
    ) -> Transitions:
        """The transitions of rows (B, width); their columns are views.

        Args:
            rows: where they begin.
            followed_by: of transitions of several steps, the rows (B, width) of their last, their
                discounted sums of rewards (B,) and how many steps they have (B,).
        """
        columns, steps = self._columns(rows), None
        if followed_by is not None:
            last, rewards, steps = followed_by
            outcome = self._columns(last)
            columns |= {name: outcome[name] for name in _OUTCOME} | {"rewards": rewards}
        ends = columns["terminated"], columns["truncated"]
        discounts = self.discounting.discounts(*ends, steps)
        extra = {name: columns.pop(name) for name in self.extra}
        return Transitions(**columns, discounts=discounts, extra=extra)

    def _columns(self, rows: Tensor) -> dict[str, Tensor]:
        parts = rows.split(list(self.widths.values()), dim=1)
        return {
            name: part.squeeze(1) if name in self._flat else part
            for name, part in zip(self.widths, parts, strict=True)
        }
