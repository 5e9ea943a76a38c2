"""`evenly`: some of many rows, for what is measured and would take too long at all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly(count: int, most: int) -> NDArray[np.int_]:
    """Indices of at most `most` of `count` rows, evenly spaced from the first to the last."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)
