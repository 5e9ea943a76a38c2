from __future__ import annotations

import numpy as np
from nppac_envs.testing import EnvConformance
from nppac_reach_env.plugin import ReachConfig


class TestConformance(EnvConformance):
    config = ReachConfig(horizon=20)


def test_going_straight_to_the_goal_succeeds():
    env = ReachConfig(horizon=30).make()
    seen, info = env.reset(seed=0)
    for _ in range(30):
        seen, _, _, _, info = env.step(np.clip(10 * (seen[2:] - seen[:2]), -1, 1))
    assert info["success"]
