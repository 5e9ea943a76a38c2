"""What is drawn of some quantities, and what is told in a line because it never changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nppac_priors.drawing.panels import Panel
from numpy.typing import NDArray


@dataclass(frozen=True)
class Drawn:
    """What is shown of some quantities.

    Attributes:
        panels: of those that changed.
        constants: of those that did not, by name, as text.
    """

    panels: list[Panel]
    constants: dict[str, str]

    @property
    def in_words(self) -> str:
        """The constants as a sentence; empty for none."""
        if not self.constants:
            return ""
        told = "; ".join(f"{name} {value}" for name, value in self.constants.items())
        return f"Constant throughout: {told}."


def is_constant(measured: NDArray[np.float64]) -> bool:
    """Whether the values (n,) of a quantity are one, several times; NaN equals nothing."""
    return len(measured) > 1 and bool((measured == measured[0]).all())
