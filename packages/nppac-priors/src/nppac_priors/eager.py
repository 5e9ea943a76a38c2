"""Optimizers that load no compiler: PyTorch's own import `torch._dynamo`, which takes seconds."""

from __future__ import annotations

import inspect
from typing import Any, final

import torch
from torch.optim import Optimizer


class Eager(Optimizer):
    """What a subclass of one of PyTorch's optimizers puts first among its bases.

    PyTorch wraps these methods so that `torch.compile` leaves them out; here they are as they were
    before, which is all that computing without it needs.
    """

    add_param_group: Any = inspect.unwrap(Optimizer.add_param_group)
    zero_grad: Any = inspect.unwrap(Optimizer.zero_grad)
    state_dict: Any = inspect.unwrap(Optimizer.state_dict)
    load_state_dict: Any = inspect.unwrap(Optimizer.load_state_dict)


@final
class Adam(Eager, torch.optim.Adam):
    """PyTorch's Adam, step by step."""

    step: Any = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
