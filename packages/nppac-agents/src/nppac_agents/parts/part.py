"""A part owns what it learns with: a network, its optimizer and, where wanted, a slow copy."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


class Part(nn.Module):
    """A network with its optimizer; calling the part calls the network.

    Args:
        net: what learns.
        rate: Adam's learning rate.
        decay: Adam's weight decay.
        momentum: of plain gradient descent, which takes the place of Adam where this is given.
        slow: whether a copy follows the network.
        clip: largest norm of a gradient; longer ones are scaled down to it.
        optimised: the piece of ``net`` that ``descend`` moves; all of it by default.

    Attributes:
        slow: the copy, which learns only by ``follow``; None without one.
        optimizer: of ``net``.
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
        self.optimizer = (
            torch.optim.Adam(self.weights, lr=rate, weight_decay=decay, fused=True)
            if momentum is None
            else torch.optim.SGD(self.weights, lr=rate, momentum=momentum)
        )
        if slow:
            self.slow: Any = copy.deepcopy(net).requires_grad_(False)

    def forward(self, *inputs: Any) -> Any:
        """What the network gives."""
        return self.net(*inputs)

    def descend(self, loss: Tensor) -> Tensor:
        """One optimizer step on a scalar; returns the norm of its gradient, before clipping."""
        gradients = torch.autograd.grad(loss, self.weights)
        norm = _norm(gradients)
        if self.clip is not None:
            scale = (self.clip / (norm + 1e-12)).clamp(max=1.0)
            gradients = [gradient * scale for gradient in gradients]
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        self.optimizer.step()
        return norm

    def gradient_norm(self, loss: Tensor) -> Tensor:
        """The norm of a scalar's gradient, without a step; its graph stays for another."""
        return _norm(torch.autograd.grad(loss, self.weights, retain_graph=True))

    @torch.no_grad()
    def follow(self, tau: float) -> None:
        """Move the slow copy towards the network: slow += tau (net - slow)."""
        torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
            list(self.slow.parameters()), list(self.net.parameters()), tau
        )

    def optimizer_state(self) -> dict[str, Tensor]:
        """The optimizer's moments and step counts as flat named tensors."""
        slots = self.optimizer.state_dict()["state"]
        return {f"{i}.{name}": value for i, slot in slots.items() for name, value in slot.items()}

    def load_optimizer_state(self, state: dict[str, Tensor]) -> None:
        """Restores what ``optimizer_state()`` returned."""
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            index, name = key.split(".")
            slots.setdefault(int(index), {})[name] = value.clone()
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})


def _norm(gradients: list[Tensor] | tuple[Tensor, ...]) -> Tensor:
    """The Euclidean norm over all of them."""
    norms = torch._foreach_norm(gradients)  # pyright: ignore[reportPrivateImportUsage]
    return torch.linalg.vector_norm(torch.stack(norms))
