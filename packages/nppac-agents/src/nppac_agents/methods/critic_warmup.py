"""The critics' warm-up: they alone learn from rollouts of the starting policy, until it is enough.

One in `HELD_OUT` rollouts is kept out of it, and the phase ends before its length once the
critics' error on these falls no further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nppac_agents import parts
from nppac_agents.phase import Phase

if TYPE_CHECKING:
    from nppac_agents.agent import Agent
    from nppac_agents.data.replay import TensorReplay
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.methods.actor_critic import ActorCritic

HELD_OUT = 8
"""One in so many rollouts is held out of the critics' warm-up"""


def critic_warmup(method: ActorCritic, updates: int) -> list[Phase]:
    """At most so many updates of the critics and their slow copies; no phase for none."""
    if not updates:
        return []

    def batch(agent: Agent, replay: TensorReplay | None) -> Transitions:
        assert replay is not None
        return replay.sample_transitions(method.batch_size, held_out=len(replay) // HELD_OUT)

    def error(agent: Agent, replay: TensorReplay) -> float:
        held_out = replay.in_order(first=len(replay) // HELD_OUT)
        return parts.unexplained(agent.parts.critic, held_out, method.gamma)

    update = method.critics_alone
    return [Phase("warm-up", updates, update=update, batch=batch, error=error, evaluates=False)]
