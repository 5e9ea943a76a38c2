"""A batch of transitions as the learner sees it: tensors on its device, the prior already there."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Moments(NamedTuple):
    """The prior's normal at some states: what the KL divergence is taken to."""

    mean: Tensor
    """(B, A), or (B, 0) for an agent without a prior"""
    scale: Tensor
    """(B, A), its standard deviation as the KL sees it"""


class Transitions(NamedTuple):
    """B transitions (s, a, r, s'), with the prior's mean and standard deviation at s and s'.

    Actions are those that the policy produced: in [-1, 1] for a squashed policy, unclipped samples
    for an unsquashed one. The prior's four fields have width 0 for an agent without one.
    """

    states: Tensor
    """(B, S)"""
    actions: Tensor
    """(B, A)"""
    rewards: Tensor
    """(B,)"""
    terminated: Tensor
    """(B,), 1.0 where the task ended in s', else 0.0"""
    truncated: Tensor
    """(B,), 1.0 where the time limit cut the episode after s', else 0.0"""
    next_states: Tensor
    """(B, S)"""
    prior_mean: Tensor
    """(B, A) at s"""
    prior_std: Tensor
    """(B, A) at s"""
    next_prior_mean: Tensor
    """(B, A) at s'"""
    next_prior_std: Tensor
    """(B, A) at s'"""
