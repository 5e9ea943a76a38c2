from __future__ import annotations

import numpy as np
import torch
from nppac_agents import conformance_world as world
from nppac_agents.data.rollouts import Step
from nppac_agents.testing import MethodConformance
from nppac_sac_bc.plugin import SACBC


class TestConformance(MethodConformance):
    method = SACBC(policy_hidden=(16,), critic_hidden=(16,))


def test_more_weight_brings_the_mode_nearer_to_the_demonstrated_actions():
    def error(weight):
        method = SACBC(
            policy_hidden=(16,), critic_hidden=(16,), batch_size=64, cloning_weight=weight,
            policy_learning_rate=1e-2,
        )  # fmt: skip
        shown, generator = world.demonstrations(), torch.Generator().manual_seed(0)
        agent = method.build(world.spaces(), None, shown, generator=generator)
        replay = agent.make_replay(10, 1, generator)
        states, actions = shown.states, shown.actions
        no = np.zeros(1, bool)
        replay.add(Step(states[:1], actions[:1], np.ones(1), no, no, states[1:2]))
        for _ in range(60):
            agent.learn(agent.phases[-1], replay)
        return np.square(agent.act(states, deterministic=True) - actions).mean()

    assert error(100.0) < 0.5 * error(0.0)
