from __future__ import annotations

import numpy as np
import pytest
from gymnasium_robotics.envs.adroit_hand.adroit_door import AdroitHandDoorEnv
from gymnasium_robotics.envs.adroit_hand.adroit_hammer import AdroitHandHammerEnv
from gymnasium_robotics.envs.adroit_hand.adroit_pen import AdroitHandPenEnv
from gymnasium_robotics.envs.adroit_hand.adroit_relocate import AdroitHandRelocateEnv
from nppac_envs import ConfigError
from nppac_envs.adroit.task import AdroitTask

pytestmark = pytest.mark.medium

SIMULATORS = {
    "door": AdroitHandDoorEnv,
    "pen": AdroitHandPenEnv,
    "hammer": AdroitHandHammerEnv,
    "relocate": AdroitHandRelocateEnv,
}


@pytest.mark.parametrize("task", SIMULATORS)
def test_it_steps_as_the_simulator_does(task):
    """Same seed, same actions: the simulator's own observations, in float32."""
    ours, bare = AdroitTask(task), SIMULATORS[task](reward_type="sparse")
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(
        ours.reset(seed=3)[0], bare.reset(seed=3)[0].astype(np.float32), strict=True
    )
    for _ in range(30):
        action = rng.uniform(-1, 1, ours.action_space.shape).astype(np.float32)
        observation, reward, _, _, info = ours.step(action)
        expected, sparse, _, _, _ = bare.step(action)
        np.testing.assert_array_equal(observation, expected.astype(np.float32), strict=True)
        assert info["success"] == (sparse == 10.0)
        assert reward == float(sparse == 10.0)


@pytest.mark.parametrize("task", SIMULATORS)
def test_a_seed_fixes_the_trajectory(task):
    def play(env: AdroitTask) -> list[np.ndarray]:
        rng = np.random.default_rng(2)
        seen = [env.reset(seed=11)[0]]
        for _ in range(2):
            for _ in range(15):
                action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
                seen.append(env.step(action)[0])
            seen.append(env.reset()[0])
        return seen

    env = AdroitTask(task)
    first, again, other = play(env), play(env), play(AdroitTask(task))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, other)
    assert not np.array_equal(first[0], first[-1]), "the second start state is a new one"


@pytest.mark.parametrize(
    ("reward", "shut", "opened"), [("zero-one", 0.0, 1.0), ("binary", -1.0, 0.0)]
)
def test_reward_is_the_success_flag(reward, shut: float, opened: float):
    env = AdroitTask("door", reward=reward)
    env.reset(seed=0)
    rest = np.zeros(28, np.float32)
    assert env.step(rest)[1:] == (shut, False, False, {"success": False})
    state = env.simulator.get_env_state()
    state["qpos"][env.simulator.door_hinge_addrs] = 1.5
    observation, info = env.reset(options={"initial_state_dict": state})
    assert observation[28] == pytest.approx(1.5)
    assert info == {"success": False}
    assert env.step(rest)[1:] == (opened, False, False, {"success": True})


def test_no_start_state_of_the_pen_is_a_success():
    """The info of a reset says so without looking."""
    env = AdroitTask("pen")
    starts = np.stack([env.reset(seed=seed)[0] for seed in range(300)]).astype(float)
    cosine = (starts[:, 33:36] * starts[:, 36:39]).sum(axis=1)
    assert cosine.max() < 0.9


@pytest.mark.parametrize("task", ["hammer", "relocate"])
def test_no_other_start_state_is_a_success(task):
    """A step that moves nothing has the start's flag."""
    env = AdroitTask(task)
    env.simulator.do_simulation = lambda *_: None
    for seed in range(100):
        env.reset(seed=seed)
        assert env.step(np.zeros(env.action_space.shape, np.float32))[4] == {"success": False}


def test_actions_outside_the_box_are_clipped():
    first, second = AdroitTask("pen"), AdroitTask("pen")
    first.reset(seed=0)
    second.reset(seed=0)
    ones = np.ones(24, np.float32)
    np.testing.assert_array_equal(first.step(ones)[0], second.step(3 * ones)[0])


def test_an_unknown_reward_is_refused():
    with pytest.raises(ConfigError, match="'shaped' is unknown; choose one of zero-one, binary"):
        AdroitTask("pen", reward="shaped")  # type: ignore[arg-type]


def test_only_the_pen_can_end_on_a_drop():
    with pytest.raises(ConfigError, match="'door' has nothing to drop"):
        AdroitTask("door", terminate_when_dropped=True)


def test_a_missing_renderer_is_one_line(monkeypatch: pytest.MonkeyPatch):
    env = AdroitTask("pen")

    def fail() -> None:
        raise AttributeError("no context")

    monkeypatch.setattr(env.simulator, "render", fail)
    with pytest.raises(ConfigError, match="MUJOCO_GL") as caught:
        env.render()
    assert "\n" not in str(caught.value)
