"""How steep a critic is in its actions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def action_slopes(
    values: Callable[[Tensor, Tensor], Tensor], states: Tensor, actions: Tensor
) -> Tensor:
    """|grad_a min_j Q_j(s, a)|, (..., B), at states (B, S) and actions (..., B, A).

    Differentiable in the critic's weights; the actions are taken as given.
    """
    actions = actions.detach().requires_grad_()
    lowest = values(states, actions).amin(0).sum()
    (gradient,) = torch.autograd.grad(lowest, actions, create_graph=True)
    return (gradient.square().sum(-1) + FLOOR).sqrt()


FLOOR = 1e-12
"""Keeps the root's own slope finite where a critic is flat."""
