"""The pathology guard: what goes wrong when learning is regularised by a prior, seen as it begins.

Rudner et al. 2021 show how a prior that loses its standard deviation off the data ruins learning:
the divergence and its gradient explode there. Beside that, a critic that promises more than follows
leads a policy away from its prior. The guard looks at three numbers with every evaluation, draws
from no generator of the learner, and says what to do when one of them leaves its range.
"""

from __future__ import annotations

from nppac_agents.agent import Agent
from nppac_agents.data.replay import TensorReplay
from nppac_agents.data.transitions import Transitions
from nppac_agents.methods.actor_critic import RegularisedActorCritic
from nppac_agents.parts import Critics, promised_and_returned
from nppac_agents.reporting.gauges import GAUGES

RECENT = 5_000
"""The latest transitions that are looked at"""


def look(agent: Agent, replay: TensorReplay) -> dict[str, float]:
    """The gauges by field, those that the agent has parts for and the replay transitions."""
    if not len(replay):
        return {}
    seen = replay.in_order(RECENT)
    gauges: dict[str, float] = {}
    if agent.observed is not None and agent.demonstrations is not None:
        below = seen.prior_std < agent.std_on_data
        gauges["prior_narrow"] = below.float().mean().item()
        if isinstance(agent.method, RegularisedActorCritic):
            gauges |= _gradients(agent, agent.method, seen)
    if isinstance(getattr(agent.parts, "critic", None), Critics):
        gauges |= _promises(agent, seen)
    return gauges


def warnings(gauges: dict[str, float]) -> list[str]:
    """One line for each gauge that has left its range."""
    return [
        f"{g.title} is {gauges[g.field]:.3g} ({g.meaning}), above {g.highest:g}: {g.advice}"
        for g in GAUGES
        if gauges.get(g.field, 0.0) > g.highest
    ]


def _gradients(agent: Agent, method: RegularisedActorCritic, seen: Transitions) -> dict[str, float]:
    """On evenly spaced transitions; nothing of less than a minibatch, or where Q does not pull."""
    if len(seen.rewards) < method.batch_size:
        return {}
    every = len(seen.rewards) // method.batch_size
    state = agent.noise.get_state()
    divergence, value = method.pulls(agent, seen[::every])
    agent.noise.set_state(state)
    if not value > 0:
        return {}
    return {"kl_over_value_gradient": (divergence / value).item()}


def _promises(agent: Agent, seen: Transitions) -> dict[str, float]:
    """Where stretches of episodes begin; nothing where these returned nothing."""
    gamma = agent.method.discounting().gamma
    values, returns, first = promised_and_returned(agent.parts.critic, seen, gamma)
    promised, returned = values[first].mean(), returns[first].mean()
    if not returned.abs() > 0:
        return {}
    return {"value_over_return": (1.0 + (promised - returned) / returned.abs()).item()}
