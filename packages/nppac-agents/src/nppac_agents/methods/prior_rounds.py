"""Rounds before the policy learns: the prior plays, and is fitted anew to the best episodes so far.

A prior of demonstrations averages all that was shown, also what cannot be repeated. Of its own
rollouts, drawn with its own noise, some do well; a prior of these alone does what worked, at the
states that it comes to itself. Each round keeps the best share of all episodes so far, as the
cross-entropy method keeps its elite (Rubinstein 1999), and the prior is their posterior; cloning of
one's own good episodes is self-imitation (Oh et al. 2018). An episode is as good as its return is
above what others from like starts had: otherwise the elite has the easy starts.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from nppac_agents import parts
from nppac_agents.phase import Losses, Phase, rollouts

if TYPE_CHECKING:
    from nppac_agents.agent import Agent
    from nppac_agents.data.best_episodes import Episodes
    from nppac_agents.data.replay import TensorReplay
    from nppac_agents.methods.actor_critic import RegularisedActorCritic


def rounds(
    method: RegularisedActorCritic, count: int, rollout_steps: int, share: float
) -> list[Phase]:
    """Rollouts and a fit in turns: `count` times `rollout_steps` and the best `share`."""

    def best(agent: Agent, replay: TensorReplay | None) -> tuple[TensorReplay, Episodes]:
        assert replay is not None
        known = agent.demonstrations is not None and agent.demonstrations.rewards is not None
        shown = agent.layout.unpack(agent.demonstrated) if known else None
        return replay, parts.best_episodes(replay.whole_episodes(), shown, share)

    fit = Phase("refit", 1, update=functools.partial(refit, method), batch=best)
    turns = ((*rollouts(n * rollout_steps), fit) for n in range(1, count + 1))
    return [phase for turn in turns for phase in turn]


def refit(
    method: RegularisedActorCritic, agent: Agent, batch: tuple[TensorReplay, Episodes]
) -> Losses:
    """The prior, fitted to episodes, in the place of the one before; none for no episodes."""
    replay, best = batch
    count = best.returns.new_tensor(float(len(best.returns)))
    if not len(best.returns):
        return {"best_episodes": count}
    assert agent.prior is not None
    agent.replace_prior(parts.fitted_anew(agent.prior, best, agent.noise))
    agent.std_on_data = agent.usual_std(best.states)
    replay.observe_anew(agent.demonstrated if method.demonstrations_in_replay else None)
    trust = method.trust(agent)
    if trust is not None:
        agent.parts.policy.net.trust.load_state_dict(trust.state_dict())
    return {"best_episodes": count, "best_return": best.returns.mean()}
