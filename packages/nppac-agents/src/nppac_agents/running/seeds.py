"""One seed for a run, independent streams for its parts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch


class Seeds(NamedTuple):
    """Where each part's randomness starts; no part can shift another's."""

    environments: int
    prior: torch.Generator
    agent: torch.Generator
    replay: torch.Generator
    report: torch.Generator

    @classmethod
    def of(cls, seed: int) -> Seeds:
        """The streams of one run, from its seed."""
        words = np.random.SeedSequence(seed).generate_state(5, dtype=np.uint32).tolist()
        generators = [torch.Generator().manual_seed(word) for word in words[1:]]
        return cls(words[0] % 2**31, *generators)
