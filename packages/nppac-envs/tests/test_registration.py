from __future__ import annotations

import gymnasium
import pytest
from nppac_envs.registration import register_environments


@pytest.mark.parametrize(
    ("gymnasium_id", "states", "actions", "horizon"),
    [("nppac/Door-v0", 39, 28, 200), ("nppac/Pen-v0", 45, 24, 100)],
)
def test_gymnasium_makes_the_tasks(gymnasium_id: str, states: int, actions: int, horizon: int):
    env = gymnasium.make(gymnasium_id)
    assert env.observation_space.shape == (states,)
    assert env.action_space == gymnasium.spaces.Box(-1.0, 1.0, (actions,))
    assert env.spec is not None
    assert env.spec.max_episode_steps == horizon


def test_registering_again_does_not_warn(recwarn: pytest.WarningsRecorder):
    before = gymnasium.registry["nppac/Door-v0"]
    register_environments()
    assert gymnasium.registry["nppac/Door-v0"] is before
    assert not [w for w in recwarn if "Overriding" in str(w.message)]
