"""Optimizers of one flat tensor."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from nppac_priors.eager import Eager
from torch import Tensor


class Adam(Eager, torch.optim.Adam):
    """PyTorch's fused Adam, of one tensor and with its state.

    Beside a small network, what `step` does before it computes costs more than computing.
    """

    def __init__(self, weights: Tensor, rate: float, decay: float) -> None:
        super().__init__([weights], lr=rate, weight_decay=decay, fused=True)

    @torch.no_grad()
    def descend(self, gradient: Tensor) -> None:
        """One step along a gradient (P,) of the weights (P,)."""
        (group,) = self.param_groups
        (weights,) = group["params"]
        state = self.state[weights]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=weights.device)
            state["exp_avg"] = torch.zeros_like(weights)
            state["exp_avg_sq"] = torch.zeros_like(weights)
        state["step"] += 1
        slower, slowest = group["betas"]
        moments = [state["exp_avg"]], [state["exp_avg_sq"]]
        torch._fused_adam_(  # pyright: ignore[reportPrivateImportUsage]
            [weights], [gradient], *moments, [], [state["step"]],
            lr=group["lr"], beta1=slower, beta2=slowest, weight_decay=group["weight_decay"],
            eps=group["eps"], amsgrad=False, maximize=False,
        )  # fmt: skip


class Momentum(Eager, torch.optim.SGD):
    """Gradient descent with momentum, of one tensor."""

    step: Any = torch.no_grad()(inspect.unwrap(torch.optim.SGD.step))

    def __init__(self, weights: Tensor, rate: float, momentum: float) -> None:
        super().__init__([weights], lr=rate, momentum=momentum)

    def descend(self, gradient: Tensor) -> None:
        """One step along a gradient (P,) of the weights (P,)."""
        self.param_groups[0]["params"][0].grad = gradient
        self.step()
