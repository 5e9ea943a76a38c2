"""The behavioural prior along a rollout: evaluated once per observed state, in one batch.

A state that is reached as s' is acted on as s one step later, so its moments serve three readers:
the transition that ends in it, the action taken in it (a residual policy), and the transition that
starts from it. `ObservedPrior` remembers the latest states by content, so that all three find the
same value whoever asks first, with any collector and any number of environments.
"""

from __future__ import annotations

import numpy as np
import torch
from nppac_priors import GaussianPrior
from torch import Tensor

from nppac_agents.parts.tensors import as_tensor

MeanAndStd = tuple[Tensor, Tensor]
"""The prior's mean and standard deviation, (B, A) each"""


def moments_along(
    prior: GaussianPrior, states: Tensor, last: Tensor, final_states: Tensor
) -> tuple[MeanAndStd, MeanAndStd]:
    """The prior at s and at s' of transitions in time order, asked once for each state.

    Args:
        prior: on the device of the states.
        states: s (N, S), where s' of a row is s of the next one,
        last: but for these rows (E,), the ends of episodes,
        final_states: whose s' are these (E, S).
    """
    after = torch.arange(1, len(states) + 1, device=states.device)
    after[last] = len(states) + torch.arange(len(final_states), device=states.device)
    mean, std = prior.moments(torch.cat([states, final_states]))
    return (mean[: len(states)], std[: len(states)]), (mean[after], std[after])


class ObservedPrior:
    """Moments of a frozen Gaussian prior at the latest `capacity` observed states.

    A plain object: never a submodule of a policy, never trained. `evaluations` counts the states
    that the prior itself was asked for.
    """

    def __init__(self, prior: GaussianPrior, *, capacity: int = 4096) -> None:
        self.capacity = capacity
        self.evaluations = 0
        self.replace(prior)

    def replace(self, prior: GaussianPrior) -> None:
        """Ask another prior from now on; what the one before said is forgotten."""
        self.prior = prior
        self._slots: dict[bytes, int] = {}
        self._keys: list[bytes | None] = [None] * self.capacity
        self._next = 0
        self._moments = torch.zeros(2, self.capacity, prior.action_dim, device=prior.device)

    def moments(self, states: np.ndarray) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, A) at states (B, S), on the prior's device."""
        states = np.ascontiguousarray(states, dtype=np.float32)
        if len(states) > self.capacity // 2:
            self.evaluations += len(states)
            return self.prior.moments(as_tensor(states, self.prior.device))
        keys = [row.tobytes() for row in states]
        unseen = {key: row for row, key in enumerate(keys) if key not in self._slots}
        if unseen:
            self._evaluate(list(unseen), states[list(unseen.values())])
        if any(key not in self._slots for key in keys):
            return self.moments(states)  # remembering the new states forgot an old one of these
        mean, std = self._moments[:, [self._slots[key] for key in keys]]
        return mean, std

    def mean(self, states: np.ndarray) -> Tensor:
        """The prior's mean (B, A) alone, not memoised: what deterministic evaluation needs."""
        return self.prior.mean(as_tensor(states, self.prior.device))

    def afresh(self, states: np.ndarray) -> tuple[Tensor, Tensor]:
        """Like `moments`, not memoised: evaluation takes no place from the rollouts' states."""
        return self.prior.moments(as_tensor(states, self.prior.device))

    def _evaluate(self, keys: list[bytes], states: np.ndarray) -> None:
        self.evaluations += len(states)
        moments = self.prior.moments(as_tensor(states, self.prior.device))
        slots = [(self._next + offset) % self.capacity for offset in range(len(keys))]
        for key, slot in zip(keys, slots, strict=True):
            forgotten = self._keys[slot]
            if forgotten is not None:
                del self._slots[forgotten]
            self._keys[slot], self._slots[key] = key, slot
        self._moments[:, slots] = torch.stack(moments)
        self._next = (slots[-1] + 1) % self.capacity

    def state(self, states: np.ndarray) -> dict[str, Tensor]:
        """What a checkpoint needs to find the moments of the current states again, to the bit."""
        mean, std = self.moments(states)
        return {"states": as_tensor(states, "cpu"), "mean": mean, "std": std}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Remembers the moments of `state()` instead of evaluating them anew."""
        keys = [row.tobytes() for row in state["states"].numpy()]
        for slot, key in enumerate(keys):
            self._keys[slot], self._slots[key] = key, slot
        device = self._moments.device
        self._moments[0, : len(keys)] = state["mean"].to(device)
        self._moments[1, : len(keys)] = state["std"].to(device)
        self._next = len(keys)
