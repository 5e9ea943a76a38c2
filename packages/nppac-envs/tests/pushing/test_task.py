from __future__ import annotations

import numpy as np
import pytest
from nppac_envs import PushConfig
from nppac_envs.mujoco_task import mujoco
from nppac_envs.pushing.task import PushTask


@pytest.fixture(scope="module")
def env() -> PushTask:
    return PushTask()


def go(env: PushTask, action: list[float], steps: int) -> np.ndarray:
    """Hand and puck (steps, 4) while one action is repeated."""
    seen = []
    for _ in range(steps):
        observation, *_ = env.step(np.array(action, np.float32))
        seen.append(observation["observation"][:4])
    return np.stack(seen)


def test_hand_and_puck_start_where_they_should(env):
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        np.testing.assert_allclose(observation["observation"][:4], [-0.1, 0, 0, 0], atol=2e-3)
        np.testing.assert_array_equal(observation["achieved_goal"], observation["observation"][2:4])


def test_goals_fill_the_area_and_nothing_else(env):
    """40 cm across, 20 cm deep."""
    goals = np.stack([env.reset(seed=seed)[0]["desired_goal"] for seed in range(200)])
    assert (np.abs(goals) <= [0.1, 0.2]).all()
    np.testing.assert_allclose(goals.min(axis=0), [-0.1, -0.2], atol=0.01)
    np.testing.assert_allclose(goals.max(axis=0), [0.1, 0.2], atol=0.01)


@pytest.mark.parametrize("direction", [(-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])
def test_the_hand_follows_its_target_and_stays_in_reach(env, direction):
    env.reset(seed=0)
    path = go(env, list(direction), 40)[:, :2]
    towards = path @ np.array(direction)
    assert (np.diff(towards) > -1e-3).all()
    limit = {(-1.0, 0.0): 0.15, (0.0, 1.0): 0.25, (0.0, -1.0): 0.25}[direction]
    assert towards[-1] == pytest.approx(limit, abs=5e-3)


def test_the_hand_pushes_the_puck_to_a_goal(env):
    observation, info = env.reset(seed=0, options={"goal": [0.1, 0.0]})
    assert not info["success"]
    np.testing.assert_allclose(observation["desired_goal"], [0.1, 0.0], atol=1e-7)
    for _ in range(50):
        near = observation["achieved_goal"][0] > 0.07
        action = np.array([0.0 if near else 0.5, 0.0], np.float32)
        observation, reward, _, _, info = env.step(action)
    assert info["success"]
    assert reward > -0.05
    assert np.abs(observation["observation"][6:]).max() < 1e-2, "the puck has come to rest"


@pytest.mark.parametrize(
    ("distance", "success"), [(0.0, True), (0.0499, True), (0.0501, False), (0.3, False)]
)
def test_reward_is_minus_the_distance_and_success_is_below_5_cm(env, distance, success):
    env.reset(seed=0)
    simulator = env.simulator
    _, puck = simulator.positions()
    simulator.goal = puck + distance * np.array([0.6, 0.8])
    observation, reward, terminated, truncated, info = env.step(np.zeros(2, np.float32))
    assert reward == pytest.approx(-distance, abs=1e-5)
    assert info == {"success": success}
    assert (terminated, truncated) == (False, False)
    achieved, desired = observation["achieved_goal"], observation["desired_goal"]
    assert env.compute_reward(achieved, desired, {}) == pytest.approx(reward, abs=1e-6)


def test_other_goals_are_rewarded_all_at_once(env):
    achieved = np.array([[0.0, 0.0], [0.1, 0.0]])
    desired = np.array([[0.03, 0.04], [0.1, 0.0]])
    np.testing.assert_allclose(env.compute_reward(achieved, desired, None), [-0.05, 0.0])


def test_velocities_are_those_of_the_positions(env):
    """In the middle of a push, against one simulator step of 0.002 s."""
    env.reset(seed=0)
    go(env, [0.4, 0.02], 12)
    simulator = env.simulator
    before = np.concatenate(simulator.positions())
    velocities = np.concatenate(simulator.velocities())
    mujoco.mj_step(simulator.model, simulator.data)
    after = np.concatenate(simulator.positions())
    assert np.linalg.norm(velocities[2:]) > 0.1
    np.testing.assert_allclose((after - before) / 0.002, velocities, atol=0.03)


def test_actions_are_clipped(env):
    def after(scale: float) -> np.ndarray:
        env.reset(seed=0)
        return go(env, [0.0, scale], 3)

    np.testing.assert_array_equal(after(1.0), after(7.0))


def test_agents_see_goal_and_state_as_one_vector():
    env = PushConfig().make()
    flat, _ = env.reset(seed=4)
    parts = env.unwrapped.last_observation
    expected = [parts["achieved_goal"], parts["desired_goal"], parts["observation"]]
    np.testing.assert_array_equal(flat, np.concatenate(expected), strict=True)
