"""`Demonstrated`: what a fitted prior has seen, as it is handed from prior to prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_priors.progress import ProgressCallback


class Demonstrated(NamedTuple):
    """Checked demonstrations on the CPU, and who hears how far the work on them is."""

    states: Tensor
    """(N, S)"""
    actions: Tensor
    """(N, A)"""
    episode_lengths: Tensor
    """(E,) that sum to N"""
    progress: ProgressCallback | None
