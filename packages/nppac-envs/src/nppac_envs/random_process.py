"""A random process that acts: smooth noise for data without a purpose."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray


@final
class OrnsteinUhlenbeck:
    """An Ornstein-Uhlenbeck process around 0, one value for each action dimension.

    x <- (1 - theta) x + sigma e with e standard normal, started at 0; the action is x, clipped to
    [-1, 1]. For 0 < theta < 1 the standard deviation of x tends to
    sigma / sqrt(1 - (1 - theta)^2). AWAC's random trajectories use 0.15 and 0.3.

    Use `reset` at the start of every episode.
    """

    def __init__(
        self, size: int, rng: np.random.Generator, *, theta: float = 0.15, sigma: float = 0.3
    ) -> None:
        """A process of `size` independent values that draws from `rng`."""
        self._rng = rng
        self._theta = theta
        self._sigma = sigma
        self._value = np.zeros(size)

    def reset(self) -> None:
        """Go back to 0."""
        self._value[:] = 0.0

    def __call__(self, state: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """The next action, (size,) float32 in [-1, 1], whatever the state."""
        del state
        noise = self._sigma * self._rng.standard_normal(self._value.shape)
        self._value = (1.0 - self._theta) * self._value + noise
        return np.clip(self._value, -1.0, 1.0).astype(np.float32)
