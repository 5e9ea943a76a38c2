"""Named tensors that move between devices and to and from a prior's state together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class TensorRecord:
    """Base of frozen dataclasses whose fields are all tensors; `vars(record)` is their dict."""

    @classmethod
    def take(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The record of the tensors that bear its fields' names."""
        return cls(**{name: tensors[name] for name in cls.__dataclass_fields__})

    def to(self, device: str | torch.device) -> Self:
        """The same on a device."""
        return type(self)(**{name: tensor.to(device) for name, tensor in vars(self).items()})
