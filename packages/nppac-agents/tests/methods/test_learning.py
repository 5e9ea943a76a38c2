"""Every method learns a small task: a point is pushed to the origin, rewarded only there.

The expert reaches it; `sac`, which sees no demonstration, gets the negative distance as its reward.
"""

from __future__ import annotations

from typing import Literal

import gymnasium as gym
import numpy as np
import pytest
import torch
from method_table import LEARNING, METHODS, configured
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.running.evaluation import Evaluator
from nppac_envs import EnvConfig

pytestmark = pytest.mark.medium


class _Distance(gym.RewardWrapper):
    def reward(self, reward):
        return -float(np.linalg.norm(self.unwrapped.position))


class DensePointConfig(EnvConfig):
    """The point task with the negative distance as its reward."""

    kind: Literal["dense-point"] = "dense-point"
    horizon: int = 20
    sparse: EnvConfig

    @property
    def has_success(self):
        return True

    def make(self, *, render_mode=None):
        return _Distance(self.sparse.make())


def success_at_end(agent, env):
    measures = Evaluator(env, 20).evaluate(agent, range(1000, 1020))
    return measures.means()["success_at_end"]


def learn_offline(agent, replay):
    """All phases without interaction; the losses of the last update."""
    losses = {}
    for phase in agent.phases:
        for _ in range(0 if phase.interacts else phase.length or 0):
            losses = agent.learn(phase, replay)
    return losses


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [kind for kind, row in METHODS.items() if row.learning is not None]
)
def test_a_method_learns_to_reach_the_goal(
    kind, spaces, prior, demonstrations, point_config, generator
):
    row = METHODS[kind]
    config = configured(agent_registry().get(kind), LEARNING, row.learning)
    given = prior if config.uses_prior else None
    env = DensePointConfig(sparse=point_config) if kind == "sac" else point_config
    agent = config.build(spaces, given, demonstrations, generator=generator)
    assert success_at_end(agent, env) < 0.5, "it does not know the task before"
    replay = agent.make_replay(5000, 4, generator)
    rollouts = Rollouts(env, 4, agent, replay, seed=0)
    learn_offline(agent, replay)
    for _ in range(25 if row.online else 0):
        rollouts.step()
    for update in range(row.online):
        if update % 4 == 0:
            rollouts.step()
        agent.learn(agent.phases[-1], replay)
    assert success_at_end(agent, env) > 0.85


def mean_return(act, env):
    """Over 20 episodes, of a function of states (B, S)."""

    class Acting:
        def act(self, states, *, deterministic):
            return act(states)

    measures = Evaluator(env, 20).evaluate(Acting(), range(1000, 1020))
    return measures.means()["return_mean"]


@pytest.fixture(scope="module")
def learned(spaces, point_config):
    """The return of what a method learns offline from demonstrations."""

    def learned(demonstrations, generator, kind, *settings):
        config = configured(agent_registry().get(kind), LEARNING, *settings)
        agent = config.build(spaces, None, demonstrations, generator=generator)
        losses = learn_offline(agent, agent.make_replay(1, 1, generator))
        assert all(torch.isfinite(loss) for loss in losses.values())
        return mean_return(lambda states: agent.act(states, deterministic=True), point_config)

    return learned


@pytest.fixture(scope="module")
def cloned(learned, mixed_demonstrations):
    """The return of a clone of the mixed demonstrations, and the generator as that left it."""
    generator = torch.Generator().manual_seed(0)
    found = learned(mixed_demonstrations, generator, "bc", {"updates": 1_000})
    return found, generator.get_state()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind, row in METHODS.items() if row.mixed is not None])
def test_offline_it_tells_good_demonstrations_from_mistakes(
    kind, learned, cloned, mixed_demonstrations, point_config, expert, generator
):
    """At least half way from nothing to the expert's return, where a clone of the data fails."""
    best = mean_return(expert, point_config)
    of_clone, state = cloned
    generator.set_state(state)
    got = learned(mixed_demonstrations, generator, kind, METHODS[kind].mixed)
    assert of_clone < 0.25 * best
    assert got > 0.5 * best


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [kind for kind, row in METHODS.items() if row.conservative is not None]
)
def test_critics_that_are_not_conservative_lead_away_from_the_expert(
    kind, learned, demonstrations, point_config, expert, generator
):
    best, settings = mean_return(expert, point_config), METHODS[kind].conservative
    bold = settings, {"conservative_weight": 0.0}
    assert learned(demonstrations, generator, kind, settings) > 0.5 * best
    assert learned(demonstrations, generator, kind, *bold) < 0.25 * best
