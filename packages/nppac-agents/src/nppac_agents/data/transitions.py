"""A batch of transitions as an update sees it: named columns on the learner's device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Transitions:
    """B transitions (s, a, r, s'); (s, a) is worth `rewards + discounts * value(s')`.

    Actions are those that the policy produced: in [-1, 1] for a squashed policy, unclipped samples
    for an unsquashed one. The prior's four columns have width 0 where it has no mean and standard
    deviation to give.
    """

    states: Tensor
    """(B, S)"""
    actions: Tensor
    """(B, A)"""
    rewards: Tensor
    """(B,)"""
    discounts: Tensor
    """(B,), gamma where s' has a value, 0.0 where it has none"""
    next_states: Tensor
    """(B, S)"""
    terminated: Tensor
    """(B,), 1.0 where the task ended in s', else 0.0"""
    truncated: Tensor
    """(B,), 1.0 where the time limit cut the episode after s', else 0.0"""
    prior_mean: Tensor
    """(B, A) at s"""
    prior_std: Tensor
    """(B, A) at s, a standard deviation"""
    next_prior_mean: Tensor
    """(B, A) at s'"""
    next_prior_std: Tensor
    """(B, A) at s'"""
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    """The columns that the method declares beside these"""

    def __getitem__(self, rows: slice) -> Transitions:
        """Some of them."""
        columns = columns_of(self)
        extra = {name: column[rows] for name, column in columns.pop("extra").items()}
        return Transitions(**{name: c[rows] for name, c in columns.items()}, extra=extra)

    def followed_by(self, others: Transitions) -> Transitions:
        """These transitions, then the others, with the extra columns that both have."""
        columns, more = columns_of(self), columns_of(others)
        extra, more_extra = columns.pop("extra"), more.pop("extra")
        return Transitions(
            **{name: torch.cat([column, more[name]]) for name, column in columns.items()},
            extra={
                name: torch.cat([column, more_extra[name]])
                for name, column in extra.items()
                if name in more_extra
            },
        )


def columns_of(transitions: Transitions) -> dict[str, Any]:
    """The columns by name; `Transitions(**columns)` reads them back."""
    return {f.name: getattr(transitions, f.name) for f in fields(transitions)}
