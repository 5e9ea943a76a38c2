"""The stretches that an agent's learning is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Losses = dict[str, "Tensor"]
"""What one update reports: detached scalars that stay on the device until somebody reads them."""


@dataclass(frozen=True)
class Phase:
    """A stretch of learning; an agent lists its phases in order.

    ========= ================================================================================
    name      what happens
    ========= ================================================================================
    pretrain  ``updates`` calls of ``step`` make the starting policy, before it is first judged
    rollouts  the policy fills the replay up to ``env_steps`` environment steps, without updates
    offline   ``updates`` updates on what the replay holds, without interaction
    online    interaction and updates, as long as the experiment's training section says
    ========= ================================================================================
    """

    name: Literal["pretrain", "rollouts", "offline", "online"]
    updates: int | None = None
    env_steps: int | None = None
    step: Callable[[], Losses] | None = None
    """One update of a ``pretrain`` phase; the others update on minibatches of the replay."""


ONLINE = Phase("online")
