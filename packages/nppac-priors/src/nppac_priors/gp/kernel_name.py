"""The names of the kernels over states, as configurations use them; imports no torch."""

from __future__ import annotations

from typing import Literal

KernelName = Literal["rbf", "matern12", "matern32", "matern52"]
