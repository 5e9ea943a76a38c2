from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from nppac_envs.locomotion.config import (
    AntConfig,
    HalfCheetahConfig,
    HopperConfig,
    Walker2dConfig,
)
from nppac_envs.locomotion.task import LocomotionTask
from nppac_envs.mujoco_task import logged_warnings

pytestmark = pytest.mark.medium

BARE = {
    "halfcheetah": "HalfCheetah-v5",
    "walker2d": "Walker2d-v5",
    "ant": "Ant-v5",
    "hopper": "Hopper-v5",
}


@pytest.mark.parametrize("robot", BARE)
def test_v5_steps_as_gymnasiums_environment_does(robot):
    with logged_warnings():
        ours, bare = LocomotionTask(robot), gymnasium.make(BARE[robot]).unwrapped
    rng = np.random.default_rng(1)
    first, info = ours.reset(seed=3)
    assert info == {}
    np.testing.assert_array_equal(first, bare.reset(seed=3)[0].astype(np.float32), strict=True)
    for _ in range(60):
        action = rng.uniform(-1, 1, ours.action_space.shape).astype(np.float32)
        observation, reward, terminated, truncated, info = ours.step(action)
        expected: Any = bare.step(action)
        np.testing.assert_array_equal(observation, expected[0].astype(np.float32), strict=True)
        assert (reward, terminated, truncated) == (float(expected[1]), expected[2], False)
        assert info == {}


def forward_position(env: LocomotionTask) -> float:
    """What speed is measured on: Ant's computed torso position, the others' root joint."""
    data = env.simulator.data
    return float(data.body("torso").xpos[0] if data.model.nq == 15 else data.qpos[0])


@pytest.mark.parametrize(
    ("robot", "height", "effort", "seconds"),
    [
        ("walker2d", {1: 5.0}, 1e-3 * 6, 0.008),
        ("hopper", {1: 0.3}, 1e-3 * 3, 0.008),
        ("ant", {2: 5.0}, 0.5 * 8, 0.05),
    ],
)
@pytest.mark.parametrize(("variant", "alive"), [("v5", 0.0), ("v2", 1.0)])
def test_a_fall_terminates_and_v2_pays_the_bonus_on_that_step_too(
    robot, height, effort, seconds, variant, alive
):
    env = LocomotionTask(robot, variant)
    env.reset(seed=0)
    for index, value in height.items():
        env.simulator.data.qpos[index] = value
    before = forward_position(env)
    action = np.full(env.action_space.shape, 0.5, np.float32)
    _, reward, terminated, _, _ = env.step(action)
    speed = (forward_position(env) - before) / seconds
    assert terminated
    assert reward == pytest.approx(speed + alive - 0.25 * effort, abs=1e-6)


def test_v2_of_walker_has_one_slippery_foot():
    friction = {}
    for variant in ("v5", "v2"):
        model = LocomotionTask("walker2d", variant).simulator.model
        friction[variant] = [
            float(model.geom(n).friction[0]) for n in ("foot_geom", "foot_left_geom")
        ]
    assert friction == {"v5": [1.9, 1.9], "v2": [0.9, 1.9]}


def test_v2_of_ant_has_no_contact_forces():
    both = {variant: LocomotionTask("ant", variant) for variant in ("v5", "v2")}
    rng = np.random.default_rng(0)
    seen = {name: env.reset(seed=2)[0] for name, env in both.items()}
    forces = []
    for _ in range(80):
        np.testing.assert_array_equal(seen["v5"][:27], seen["v2"])
        action = rng.uniform(-0.5, 0.5, 8).astype(np.float32)
        stepped = {name: env.step(action) for name, env in both.items()}
        seen = {name: outcome[0] for name, outcome in stepped.items()}
        assert not stepped["v5"][2], "this comparison needs a living ant"
        contact_cost = 5e-4 * np.square(seen["v5"][27:].astype(float)).sum()
        assert stepped["v2"][1] - stepped["v5"][1] == pytest.approx(contact_cost, abs=1e-6)
        forces.append(contact_cost)
    assert max(forces) > 0
    assert seen["v5"].shape == (105,)


def test_halfcheetahs_reward_is_speed_less_effort():
    env = LocomotionTask("halfcheetah")
    env.reset(seed=0)
    before = env.simulator.data.qpos[0]
    action = np.array([1, -1, 0.5, 0, 0, 0], np.float32)
    _, reward, terminated, _, _ = env.step(action)
    speed = (env.simulator.data.qpos[0] - before) / 0.05
    assert reward == pytest.approx(speed - 0.1 * 2.25, abs=1e-6)
    assert not terminated


def test_making_one_writes_neither_to_stderr_nor_to_the_folder(tmp_path: Path):
    """MuJoCo's own warnings about Gymnasium's model file would go to both."""
    code = "import nppac_envs; nppac_envs.HalfCheetahConfig().make()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("config", "references"),
    [
        (HalfCheetahConfig(), (-280.178953, 12135.0)),
        (HalfCheetahConfig(horizon=200), None),
        (HopperConfig(variant="v2"), (-20.272305, 3234.3)),
        (HopperConfig(), None),
        (Walker2dConfig(variant="v2"), (1.629008, 4592.3)),
        (AntConfig(variant="v2"), (-325.6, 3879.7)),
    ],
)
def test_published_returns_are_of_the_rules_that_they_were_measured_by(config, references):
    """D4RL's are of v2 and of 1000 steps."""
    assert config.reference_returns == references
