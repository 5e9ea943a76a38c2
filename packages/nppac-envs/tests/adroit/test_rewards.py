"""Rewards and success against states set by hand, through a step that moves nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nppac_envs.adroit.task import AdroitTask

NAMES = ("zero-one", "binary", "sparse", "dense")


@pytest.fixture(scope="module")
def stages() -> dict[str, AdroitTask]:
    """One environment for each task, whose physics stands still."""
    made = {}
    for task in ("door", "pen", "hammer", "relocate"):
        env = AdroitTask(task)
        env.reset(seed=0)
        env.simulator.do_simulation = lambda *_: None
        made[task] = env
    return made


def rewards(env: AdroitTask) -> tuple[bool, dict[str, float]]:
    """The success flag and all four rewards of the current state."""
    from nppac_envs.adroit.rewards import rewards_of

    action = np.zeros(env.action_space.shape, np.float32)
    task = {28: "door", 24: "pen", 26: "hammer", 30: "relocate"}[action.size]
    seen = {}
    for name in NAMES:
        env._reward = rewards_of(task)[name]
        _, seen[name], _, _, info = env.step(action)
    return info["success"], seen


def put(env: AdroitTask, field: str, index: int, values: Any) -> None:
    getattr(env.simulator.data, field)[index] = values


@pytest.mark.parametrize(
    ("hinge", "success", "sparse"),
    [
        (0.0, False, -0.1 * 1.57**2),
        (1.0, False, -0.1 * 0.57**2),
        (np.nextafter(1.0, 2), False, 8 - 0.1 * 0.57**2),
        (1.2, False, 8 - 0.1 * 0.37**2),
        (np.nextafter(1.2, 2), False, 10 - 0.1 * 0.37**2),
        (np.nextafter(1.35, 0), False, 10 - 0.1 * 0.22**2),
        (1.35, True, 20 - 0.1 * 0.22**2),
        (1.57, True, 20.0),
    ],
)
def test_door(stages, hinge, success, sparse):
    env = stages["door"]
    simulator = env.simulator
    put(env, "qpos", simulator.door_hinge_addrs, hinge)
    put(env, "site_xpos", simulator.grasp_site_id, [0.3, 0.0, 0.4])
    put(env, "site_xpos", simulator.handle_site_id, [0.0, 0.0, 0.0])  # 0.5 m away
    flag, seen = rewards(env)
    assert flag is success
    assert seen == {
        "zero-one": float(success),
        "binary": float(success) - 1,
        "sparse": pytest.approx(sparse, abs=1e-9),
        "dense": pytest.approx(sparse - 0.05, abs=1e-9),
    }


@pytest.mark.parametrize(
    ("distance", "cosine", "height", "success", "dense"),
    [
        (0.3, 0.5, 0.2, False, 0.5 - 0.3),
        (0.3, 0.5, np.nextafter(0.075, 0), False, 0.5 - 0.3 - 5),
        (0.3, 0.5, 0.075, False, 0.5 - 0.3),
        (0.03, 0.9, 0.2, False, 0.9 - 0.03),
        (0.03, 0.92, 0.2, False, 0.92 - 0.03 + 10),
        (0.03, 0.95, 0.2, False, 0.95 - 0.03 + 10),
        (0.03, np.nextafter(0.95, 1), 0.2, True, 50 + 0.95 - 0.03 + 10),
        (np.nextafter(0.075, 0), 1.0, 0.2, True, 50 + 1 - 0.075 + 10),
        (0.075, 1.0, 0.2, False, 1 - 0.075 + 10),
        (0.3, 1.0, 0.2, False, 1 - 0.3 + 10),
    ],
)
def test_pen(stages, distance, cosine, height, success, dense):
    env = stages["pen"]
    simulator = env.simulator
    simulator.pen_length = simulator.tar_length = 1.0
    put(env, "xpos", simulator.obj_body_id, [0.0, 0.0, height])
    put(env, "site_xpos", simulator.eps_ball_site_id, [distance, 0.0, height])
    put(env, "site_xpos", simulator.obj_b_site_id, 0.0)
    put(env, "site_xpos", simulator.obj_t_site_id, [1.0, 0.0, 0.0])
    put(env, "site_xpos", simulator.tar_b_site_id, 0.0)
    put(env, "site_xpos", simulator.tar_t_site_id, [cosine, np.sqrt(1 - cosine**2), 0.0])
    flag, seen = rewards(env)
    assert flag is success
    assert seen == {
        "zero-one": float(success),
        "binary": float(success) - 1,
        "sparse": 50.0 * success,
        "dense": pytest.approx(dense, abs=1e-9),
    }


@pytest.mark.parametrize(
    ("ball_height", "distance", "success", "dense"),
    [
        (0.04, 0.6, False, -0.1 * 0.3),
        (np.nextafter(0.04, 1), 0.6, False, -0.1 * 0.3 + 1 - 0.5 * 0.9 - 0.5 * 0.6),
        (0.2, 0.1, False, -0.1 * 0.3 + 1 - 0.5 * 0.4 - 0.5 * 0.1),
        (0.2, np.nextafter(0.1, 0), True, 30 - 0.1 * 0.3 + 1 - 0.5 * 0.4 - 0.5 * 0.1),
        (0.03, 0.05, True, 30 - 0.1 * 0.3),
    ],
)
def test_relocate(stages, ball_height, distance, success, dense):
    env = stages["relocate"]
    simulator = env.simulator
    put(env, "xpos", simulator.obj_body_id, [0.0, 0.0, ball_height])
    put(env, "site_xpos", simulator.S_grasp_site_id, [-0.3, 0.0, ball_height])
    put(env, "site_xpos", simulator.target_obj_site_id, [distance, 0.0, ball_height])
    flag, seen = rewards(env)
    assert flag is success
    assert seen == {
        "zero-one": float(success),
        "binary": float(success) - 1,
        "sparse": 30.0 * success,
        "dense": pytest.approx(dense, abs=1e-9),
    }


@pytest.mark.parametrize(
    ("depth", "hammer_height", "head_height", "success", "sparse", "lifted"),
    [
        (0.05, 0.04, 0.2, False, -0.5, False),
        (0.05, 0.2, 0.04, False, -0.5, False),
        (0.05, 0.2, 0.2, False, -0.5, True),
        (0.02, 0.0, 0.0, False, -0.2, False),
        (np.nextafter(0.02, 0), 0.0, 0.0, False, 25 - 0.2, False),
        (0.01, 0.0, 0.0, False, 25 - 0.1, False),
        (np.nextafter(0.01, 0), 0.2, 0.2, True, 100 - 0.1, True),
    ],
)
def test_hammer(stages, depth, hammer_height, head_height, success, sparse, lifted):
    env = stages["hammer"]
    simulator = env.simulator
    put(env, "xpos", simulator.obj_body_id, [0.0, 0.0, hammer_height])
    put(env, "site_xpos", simulator.S_grasp_site_id, [0.4, 0.0, hammer_height])
    put(env, "site_xpos", simulator.tool_site_id, [0.0, 0.0, head_height])
    put(env, "site_xpos", simulator.target_obj_site_id, [depth, 0.0, 0.0])
    put(env, "site_xpos", simulator.goal_site_id, [0.0, 0.0, 0.0])
    simulator.data.qvel[:] = 0.0
    simulator.data.qvel[:2] = [3.0, 4.0]
    flag, seen = rewards(env)
    assert flag is success
    assert seen == {
        "zero-one": float(success),
        "binary": float(success) - 1,
        "sparse": pytest.approx(sparse, abs=1e-9),
        "dense": pytest.approx(sparse + 0.1 * 0.4 - 0.01 * 5 + 2 * lifted, abs=1e-9),
    }


def test_a_dropped_pen_ends_the_episode_only_where_asked():
    for asked in (False, True):
        env = AdroitTask("pen", terminate_when_dropped=asked)
        env.reset(seed=0)
        env.simulator.do_simulation = lambda *_: None
        rest = np.zeros(24, np.float32)
        put(env, "xpos", env.simulator.obj_body_id, [0.0, 0.0, 0.075])
        assert env.step(rest)[2] is False
        put(env, "xpos", env.simulator.obj_body_id, [0.0, 0.0, 0.0749])
        assert env.step(rest)[2] is asked
