"""When an error that was falling falls no further, so that a phase of learning may end."""

from __future__ import annotations

from collections.abc import Sequence

UPDATES_PER_ERROR = 250
"""Updates between two looks at a phase's error"""
PATIENCE = 4
"""So many looks in a row have to bring nothing"""
LEAST_GAIN = 0.02
"""What counts as a fall: this share of the lowest error before"""


def flattened(errors: Sequence[float]) -> bool:
    """Whether none of the latest errors is clearly below the lowest before them."""
    if len(errors) <= PATIENCE:
        return False
    return min(errors[-PATIENCE:]) >= (1.0 - LEAST_GAIN) * min(errors[:-PATIENCE])
