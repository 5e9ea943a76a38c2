"""A part owns what it learns with: a network, its optimizer and, where wanted, a slow copy.

The parameters of a network are views of one flat tensor, and so are those of its slow copy: an
optimizer's step, a norm and a move of the slow copy are each one operation, however many layers.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nppac_agents.parts.optimizers import Adam, Momentum
from nppac_agents.parts.tensors import shuffled_passes


class Part(nn.Module):
    """A network with its optimizer; calling the part calls the network.

    Args:
        net: what learns.
        rate: Adam's learning rate.
        decay: Adam's weight decay.
        momentum: of plain gradient descent, which takes the place of Adam where this is given.
        slow: whether a copy follows the network.
        clip: largest norm of a gradient; longer ones are scaled down to it.
        optimised: the piece of `net` that `descend` moves; all of it by default.

    Attributes:
        slow: the copy, which learns only by `follow`; None without one.
        weights: the parameters that `descend` moves, views of `flat` (P,).
        optimizer: of `flat`.
    """

    def __init__(
        self,
        net: nn.Module,
        rate: float,
        *,
        decay: float = 0.0,
        momentum: float | None = None,
        slow: bool = False,
        clip: float | None = None,
        optimised: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.net: Any = net
        self.clip = clip
        self.weights = list((optimised or net).parameters())
        self.flat = flattened(self.weights)
        self.optimizer = (
            Adam(self.flat, rate, decay)
            if momentum is None
            else Momentum(self.flat, rate, momentum)
        )
        self.slow: Any = None
        if slow:
            self.slow = copy.deepcopy(net).requires_grad_(False)
            self.slow_flat = flattened(list(self.slow.parameters()))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Part:
        """Move or cast everything; what was one tensor is one again."""
        super()._apply(fn, recurse)
        self._flatten()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy's parameters are views of its own flat tensors."""
        super().__setstate__(state)
        self._flatten()

    def _flatten(self) -> None:
        self.flat.data = flattened(self.weights)
        if self.slow is not None:
            self.slow_flat.data = flattened(list(self.slow.parameters()))

    def forward(self, *inputs: Any) -> Any:
        """What the network gives."""
        return self.net(*inputs)

    def descend(self, loss: Tensor) -> Tensor:
        """One optimizer step on a scalar; returns the norm of its gradient, before clipping."""
        return self.along(self._gradient(loss))

    def descend_in_passes(
        self,
        loss_of: Callable[..., Tensor],
        columns: Sequence[Tensor],
        *,
        batch_size: int,
        steps: int,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Steps on minibatches of shuffled passes; the mean loss, and the mean gradient norm.

        Args:
            loss_of: from the columns' rows of a minibatch, in their order, to a scalar.
            columns: (N, ...) each.
            batch_size: rows of a minibatch.
            steps: how many.
            generator: of the order, on the device of the columns.
        """
        losses = norms = columns[0].new_zeros(())
        passes = shuffled_passes(len(columns[0]), batch_size, generator)
        for rows in itertools.islice(passes, steps):
            loss = loss_of(*(column[rows] for column in columns))
            norms = norms + self.descend(loss)
            losses = losses + loss.detach()
        return losses / steps, norms / steps

    def along(self, gradient: Tensor) -> Tensor:
        """One optimizer step along a gradient (P,); returns its norm, before clipping."""
        norm = torch.linalg.vector_norm(gradient)
        if self.clip is not None:
            gradient = gradient * (self.clip / (norm + 1e-12)).clamp(max=1.0)
        self.optimizer.descend(gradient)
        return norm

    def gradient_norm(self, loss: Tensor) -> Tensor:
        """The norm of a scalar's gradient, without a step; its graph stays for another."""
        return torch.linalg.vector_norm(self._gradient(loss, retain_graph=True))

    def _gradient(self, loss: Tensor, *, retain_graph: bool = False) -> Tensor:
        """The gradient (P,) of a scalar."""
        gradients = torch.autograd.grad(loss, self.weights, retain_graph=retain_graph)
        return torch.cat([gradient.reshape(-1) for gradient in gradients])

    @torch.no_grad()
    def follow(self, tau: float) -> None:
        """Move the slow copy towards the network: slow += tau (net - slow)."""
        self.slow_flat.lerp_(self.flat, tau)

    def optimizer_state(self) -> dict[str, Tensor]:
        """The optimizer's moments and step counts as flat named tensors."""
        slots = self.optimizer.state_dict()["state"]
        return {f"{i}.{name}": value for i, slot in slots.items() for name, value in slot.items()}

    def load_optimizer_state(self, state: dict[str, Tensor]) -> None:
        """Restores what `optimizer_state()` returned."""
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            index, name = key.split(".")
            slots.setdefault(int(index), {})[name] = value.clone()
        slots = {0: _as_one([slots[index] for index in sorted(slots)])} if slots else {}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})


def flattened(parameters: Sequence[nn.Parameter]) -> Tensor:
    """One tensor (P,) with the values of all parameters, which become views of it."""
    flat = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
    sizes = [parameter.numel() for parameter in parameters]
    for parameter, piece in zip(parameters, flat.split(sizes), strict=True):
        parameter.data = piece.view(parameter.shape)
    return flat


def _as_one(slots: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Moments of several parameters, as earlier versions kept them, as those of one flat tensor."""
    return {
        name: first if name == "step" else torch.cat([slot[name].reshape(-1) for slot in slots])
        for name, first in slots[0].items()
    }
