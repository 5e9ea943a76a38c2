"""Every method learns a small task: a point is pushed to the origin, rewarded only there.

The expert reaches it; `sac`, which sees no demonstration, gets the negative distance as its reward.
"""

from __future__ import annotations

from typing import Literal

import gymnasium as gym
import numpy as np
import pytest
import torch
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.running.evaluation import Evaluator
from nppac_envs import EnvConfig

pytestmark = pytest.mark.medium

COMMON = {"policy_hidden": (64, 64), "critic_hidden": (64, 64), "batch_size": 64}
FAST = {"policy_learning_rate": 1e-3, "critic_learning_rate": 1e-3, "gamma": 0.9, "tau": 0.02}
METHODS = {
    "awac": ({"offline_updates": 400, **COMMON, **FAST}, 400),
    "nppac": ({"alpha": 0.05, "start": "fresh", "squash": True, **COMMON, **FAST}, 1500),
    "rlpd": (
        {"n_critics": 3, "critic_updates_per_actor_update": 2, "temperature_learning_rate": 1e-2,
         **COMMON, **FAST},
        1500,
    ),
    "sac": ({"temperature_learning_rate": 1e-2, **COMMON, **FAST}, 1500),
    "sacfd": ({"temperature_learning_rate": 1e-2, **COMMON, **FAST}, 1500),
}  # fmt: skip


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


@pytest.mark.parametrize(
    "kind",
    [kind if kind == "awac" else pytest.param(kind, marks=pytest.mark.slow) for kind in METHODS],
)
def test_a_method_learns_to_reach_the_goal(
    kind, spaces, prior, demonstrations, point_config, generator
):
    settings, updates = METHODS[kind]
    config = agent_registry().get(kind)(**settings)
    given = prior if config.uses_prior else None
    env = DensePointConfig(sparse=point_config) if kind == "sac" else point_config
    agent = config.build(spaces, given, demonstrations, generator=generator)
    assert success_at_end(agent, env) < 0.5, "it does not know the task before"
    replay = agent.make_replay(5000, 4, generator)
    rollouts = Rollouts(env, 4, agent, replay, seed=0)
    for phase in agent.phases:
        for _ in range(phase.length or 0):
            agent.learn(phase, replay)
    for _ in range(25):
        rollouts.step()
    for update in range(updates):
        if update % 4 == 0:
            rollouts.step()
        agent.learn(agent.phases[-1], replay)
    assert success_at_end(agent, env) > 0.85


def test_cloning_learns_to_reach_the_goal(spaces, demonstrations, point_config, generator):
    config = agent_registry().get("bc")(policy_learning_rate=1e-3)
    agent = config.build(spaces, None, demonstrations, generator=generator)
    assert success_at_end(agent, point_config) < 0.5
    replay = agent.make_replay(1, 1, generator)
    for _ in range(500):
        agent.learn(agent.phases[-1], replay)
    assert success_at_end(agent, point_config) > 0.85
    assert torch.isfinite(agent.learn(agent.phases[-1], replay)["actor_loss"])
