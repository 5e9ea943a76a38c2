"""What a model has imagined lately: a ring of transitions that goes along in checkpoints."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nppac_agents.parts.tensors import uniform


class ImaginedRows(nn.Module):
    """The latest `capacity` rows of a layout, which later ones overwrite; none at first."""

    rows: Tensor
    written: Tensor

    def __init__(self, capacity: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(capacity, width))
        self.register_buffer("written", torch.zeros((), dtype=torch.int64))

    def add(self, rows: Tensor) -> None:
        """Store rows (N, width), in the place of the oldest where it is full."""
        places = self.written + torch.arange(len(rows), device=rows.device)
        self.rows[places % len(self.rows)] = rows
        self.written += len(rows)

    def draw(self, size: int, generator: torch.Generator) -> Tensor:
        """Rows (size, width), drawn with replacement; there have to be some."""
        stored = self.written.clamp(max=len(self.rows))
        places = (uniform((size,), generator) * stored).long()
        return self.rows[places.minimum(stored - 1)]
