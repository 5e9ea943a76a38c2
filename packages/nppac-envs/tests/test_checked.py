"""An environment that breaks its contract is told of in one line, where it does."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, Literal

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from nppac_envs import DoorConfig, EnvConfig
from nppac_envs.checked import CheckedEnv, make_checked
from nppac_envs.demonstrations.recording import record
from nppac_envs.errors import ConfigError, FaultyEnvironmentError
from nppac_envs.plugin import TASKS
from nppac_envs.simulation_state import get_env_state, set_env_state

pytestmark = pytest.mark.medium

GOOD = np.array([1.0, 2.0, 3.0], np.float32)
PUSH = np.zeros(2, np.float32)


class Script(gymnasium.Env):
    """Returns what it is told to from the third step of its second episode on."""

    observation_space: Any = Box(-np.inf, np.inf, (3,), np.float32)
    action_space: Any = Box(-1.0, 1.0, (2,), np.float32)

    def __init__(self, change: Callable[..., Any]) -> None:
        self.change, self.episodes = change, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episodes, self.steps = self.episodes + 1, 0
        return GOOD, {}

    def step(self, action):
        self.steps += 1
        outcome = (GOOD, 0.5, False, self.steps == 5, {"success": False, "other": object()})
        return self.change(*outcome) if (self.episodes, self.steps) >= (2, 3) else outcome


class ScriptConfig(EnvConfig):
    kind: Literal["script"] = "script"
    horizon: int = 5

    @property
    def has_success(self) -> bool:
        return True

    def make(self, *, render_mode=None):
        return MAKE[0]()


MAKE: list[Callable[[], Any]] = []


@pytest.fixture
def script() -> Callable[..., CheckedEnv]:
    """A checked environment with the given fault."""

    def make(change=lambda *outcome: outcome) -> CheckedEnv:
        MAKE[:] = [lambda: Script(change)]
        return make_checked(ScriptConfig())

    yield make
    MAKE.clear()


def with_(index: int, value: Any) -> Callable[..., Any]:
    """The outcome of a step with one of the five replaced."""
    return lambda *outcome: (*outcome[:index], value, *outcome[index + 1 :])


def raising(error: BaseException) -> Callable[..., Any]:
    def step(*_: Any) -> None:
        raise error

    return step


def play(env: gymnasium.Env, episodes: int = 2) -> None:
    for episode in range(episodes):
        env.reset(seed=40 + episode)
        ended = False
        while not ended:
            *_, terminated, truncated, _ = env.step(PUSH)
            ended = terminated or truncated


FAULTS = {
    "NaN observation": (with_(0, GOOD * np.nan), "observation is nan in entry 0"),
    "infinite observation": (
        with_(0, np.array([1, np.inf, 1], np.float32)),
        "observation is inf in entry 1",
    ),
    "another shape": (
        with_(0, GOOD[:2]),
        "observation is an array of shape (2,) and type float32, has to be an array of shape (3,),"
        " as the observation space says",
    ),
    "another type": (
        with_(0, GOOD.astype(np.float64)),
        "observation has become float64, was float32",
    ),
    "a list": (
        with_(0, [1.0, 2.0, 3.0]),
        "observation is a list, has to be an array of shape (3,), as the observation space says",
    ),
    "no observation": (
        with_(0, None),
        "observation is None, has to be an array of shape (3,), as the observation space says",
    ),
    "NaN reward": (with_(1, float("nan")), "reward is nan"),
    "infinite reward": (with_(1, np.float32("-inf")), "reward is -inf"),
    "huge reward": (with_(1, 1e30), "reward is 1e+30, beyond 1e+15; scale it"),
    "array reward": (
        with_(1, np.zeros(1)),
        "reward is an array of shape (1,) and type float64, has to be a number",
    ),
    "array without dimensions": (
        with_(1, np.array(1.0)),
        "reward is an array of shape () and type float64, has to be a number",
    ),
    "no reward": (with_(1, None), "reward is None, has to be a number"),
    "text reward": (with_(1, "1"), "reward is a str, has to be a number"),
    "terminated": (with_(2, None), "terminated is None, has to be a bool"),
    "truncated": (
        with_(3, np.array([True])),
        "truncated is an array of shape (1,) and type bool, has to be a bool",
    ),
    "number as a flag": (with_(3, 1), "truncated is a int, has to be a bool"),
    "info": (with_(4, None), "info is None, has to be a dict"),
    "success": (
        with_(4, {"success": np.zeros(2)}),
        'info["success"] is an array of shape (2,) and type float64, has to be a bool',
    ),
    "four": (
        lambda *outcome: outcome[:4],
        "step() returned a tuple of 4, has to return a tuple of 5",
    ),
    "nothing": (lambda *_: None, "step() returned None, has to return a tuple of 5"),
    "error": (raising(KeyError("x")), "step() raised KeyError: 'x'"),
    "two lines": (raising(ValueError("a\nb")), "step() raised ValueError: a b"),
    "exit": (raising(SystemExit(0)), "step() raised SystemExit: 0"),
}


@pytest.mark.parametrize(("change", "problem"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_quantity_episode_and_step(script, change, problem):
    with pytest.raises(FaultyEnvironmentError) as caught:
        play(script(change))
    expected = f"environment 'script': {problem}, in episode 2 (seed 41) at step 3"
    assert str(caught.value) == expected
    assert caught.value.plugin is None


def test_an_episode_that_goes_on_beyond_the_horizon_is_a_fault(script):
    with pytest.raises(FaultyEnvironmentError) as caught:
        play(script(with_(3, False)))
    assert str(caught.value) == (
        "environment 'script': the episode has not ended at the horizon; make() has to truncate it "
        "there, such as with gymnasium.wrappers.TimeLimit(env, 5), in episode 2 (seed 41) at step 5"
    )


@pytest.mark.parametrize(
    ("reset", "problem"),
    [
        (lambda: 1 / 0, "reset() raised ZeroDivisionError: division by zero"),
        (lambda: sys.exit(), "reset() raised SystemExit"),
        (lambda: GOOD, "reset() returned an array of shape (3,) and type float32, has to return"),
        (lambda: (GOOD * np.inf, {}), "observation is inf in entry 0"),
        (lambda: (GOOD, None), "info is None, has to be a dict"),
        (
            lambda: (np.array(list("abc")), {}),
            "observation is an array of shape (3,) and type <U1, has to hold real numbers",
        ),
    ],
)
def test_a_fault_of_reset_is_at_the_reset(script, monkeypatch, reset, problem):
    env = script()
    monkeypatch.setattr(env.unwrapped, "reset", lambda **_: reset())
    with pytest.raises(FaultyEnvironmentError) as caught:
        env.reset(seed=7)
    message = str(caught.value)
    assert message.startswith(f"environment 'script': {problem}")
    assert message.endswith(", in episode 1 (seed 7) at its reset")


def test_an_interrupt_within_a_step_goes_on(script):
    with pytest.raises(KeyboardInterrupt):
        play(script(raising(KeyboardInterrupt())))


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64, np.uint8])
def test_observations_of_any_real_type_pass_as_long_as_it_stays(script, monkeypatch, dtype):
    env = script(lambda o, *rest: (o.astype(dtype), *rest))
    monkeypatch.setattr(env.unwrapped, "episodes", 2)
    monkeypatch.setattr(env.unwrapped, "reset", lambda **_: (GOOD.astype(dtype), {}))
    env.unwrapped.steps = 2
    env.reset()
    np.testing.assert_array_equal(env.step(PUSH)[0], GOOD.astype(dtype), strict=True)


def test_numbers_that_float32_cannot_hold_are_a_fault(script, monkeypatch):
    env = script()
    monkeypatch.setattr(env.unwrapped, "reset", lambda **_: (np.array([0.0, 1e300, 0.0]), {}))
    with pytest.raises(FaultyEnvironmentError, match=r"is 1e\+300 in entry 1, which float32"):
        env.reset()


@pytest.mark.parametrize("reward", [1, 0.5, True, np.float32(2), np.int64(-3), np.bool_(0), -1e15])
def test_any_finite_number_is_a_reward(script, reward):
    env = script(with_(1, reward))
    env.reset(), env.reset()
    env.step(PUSH), env.step(PUSH)
    given = env.step(PUSH)[1]
    assert (given, type(given)) == (float(reward), float)


def test_rewards_are_held_to_the_range_that_the_config_says(script, monkeypatch):
    monkeypatch.setattr(ScriptConfig, "reward_range", (-0.5, 0.5))
    env = script(with_(1, 0.75))
    env.reset(), env.reset()
    assert [env.step(PUSH)[1] for _ in range(2)] == [0.5, 0.5]
    with pytest.raises(FaultyEnvironmentError, match=r"is 0\.75, .* are from -0\.5 to 0\.5, in ep"):
        env.step(PUSH)


def test_info_holds_success_alone(script):
    env = script()
    assert env.reset()[1] == {}
    assert env.step(PUSH)[4] == {"success": False}


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: None, "make() returned None, has to return a gymnasium.Env"),
        (lambda: Script, "make() returned a type, has to return a gymnasium.Env"),
        (lambda: 1 / 0, "make() raised ZeroDivisionError: division by zero"),
        (lambda: sys.exit(0), "make() raised SystemExit: 0"),
    ],
)
def test_make_has_to_return_an_environment(make, problem):
    MAKE[:] = [make]
    with pytest.raises(FaultyEnvironmentError) as caught:
        make_checked(ScriptConfig())
    assert str(caught.value) == f"environment 'script': {problem}"


@pytest.mark.parametrize("method", ["make", "reset", "step"])
def test_an_interruption_that_became_an_error_is_no_fault_of_the_environment(method):
    """As a compiled module makes an ImportError of it that is interrupted at its import."""

    def interrupted(*_, **__):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    env = Script(lambda *outcome: outcome)
    MAKE[:] = [lambda: env]
    checked = make_checked(ScriptConfig())
    checked.reset()
    MAKE[:] = [interrupted]
    env.reset = env.step = interrupted
    calls = {
        "make": lambda: make_checked(ScriptConfig()),
        "reset": checked.reset,
        "step": lambda: checked.step(PUSH),
    }
    with pytest.raises(KeyboardInterrupt):
        calls[method]()


BOX = Box(-1.0, 1.0, (2,), np.float32)


@pytest.mark.parametrize(
    ("name", "space", "shown"),
    [
        ("observation", Box(0, 255, (8, 8, 3), np.uint8), "Box(0, 255, (8, 8, 3), uint8)"),
        ("observation", Dict(a=BOX), "Dict('a': Box(-1.0, 1.0, (2,), float32))"),
        ("observation", Discrete(5), "Discrete(5)"),
        ("action", Discrete(4), "Discrete(4)"),
        ("action", Box(-1.0, 1.0, (2, 2), np.float32), "Box(-1.0, 1.0, (2, 2), float32)"),
        ("action", Box(-2.0, 2.0, (2,), np.float32), "Box(-2.0, 2.0, (2,), float32)"),
        ("action", Box(np.array([0, -1.0]), np.array([1, 1.0])), "Box([ 0. -1.], 1.0"),
    ],
)
def test_a_space_that_does_not_fit_is_shown(name, space, shown):
    env = Script(lambda *outcome: outcome)
    setattr(env, f"{name}_space", space)
    MAKE[:] = [lambda: env]
    with pytest.raises(ConfigError) as caught:
        make_checked(ScriptConfig())
    message = str(caught.value)
    assert message.startswith(f"environment 'script': its {name} space is {shown}")
    assert ", has to be " in message
    assert "\n" not in message


def test_a_space_of_several_parts_is_told_with_the_wrapper_that_flattens_it():
    env = Script(lambda *outcome: outcome)
    MAKE[:] = [lambda: env]
    for name, wrapper in (("observation", "FlattenObservation"), ("action", "TransformAction")):
        whole = getattr(env, f"{name}_space")
        setattr(env, f"{name}_space", Dict(a=BOX, b=BOX))
        with pytest.raises(ConfigError, match=rf"its {name} .* gymnasium.wrappers.{wrapper};"):
            make_checked(ScriptConfig())
        setattr(env, f"{name}_space", whole)


@pytest.mark.parametrize("config", TASKS)
def test_our_environments_are_sound(config):
    env, plain = make_checked(config(horizon=6)), config(horizon=6).make()
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(env.reset(seed=1)[0], plain.reset(seed=1)[0])
    for _ in range(6):
        action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        (one, *rest, _), (other, *others, _) = env.step(action), plain.step(action)
        np.testing.assert_array_equal(one, other)
        assert rest == others


@pytest.mark.parametrize("key", ["success", "is_success"])
def test_success_goes_by_either_of_its_usual_names(script, key):
    env = script(with_(4, {key: True}))
    for _ in range(2):
        env.reset()
        infos = [env.step(PUSH)[4] for _ in range(5)]
    assert infos[2:] == [{"success": True}] * 3


def test_an_environment_that_claims_success_and_never_reports_it_is_faulty():
    def silent():
        task = Script(lambda *outcome: outcome)
        task.step = lambda action: (GOOD, 0.0, False, True, {"solved": True, "time": 3})
        return task

    MAKE[:] = [silent]
    env = make_checked(ScriptConfig())
    env.reset(seed=4)
    with pytest.raises(
        FaultyEnvironmentError,
        match=r"has_success, and no info of the episode held \"success\".*'solved', 'time', in "
        r"episode 1 \(seed 4\) at step 1",
    ):
        env.step(PUSH)
    MAKE.clear()


def test_a_restored_environment_counts_on(script):
    env = make_checked(DoorConfig(horizon=5))
    env.reset(), env.reset()
    env.step(env.action_space.sample()), env.step(env.action_space.sample())
    copy = make_checked(DoorConfig(horizon=5))
    copy.reset()
    set_env_state(copy, get_env_state(env))
    assert (copy.episode, copy.elapsed) == (2, 2)


def test_a_vector_environment_stops_at_a_fault(script):
    script(with_(1, None))
    envs = SyncVectorEnv(
        [lambda: make_checked(ScriptConfig())] * 2, autoreset_mode=AutoresetMode.SAME_STEP
    )
    envs.reset(seed=3)
    for _ in range(7):
        envs.step(np.zeros((2, 2), np.float32))
    with pytest.raises(FaultyEnvironmentError, match=r"reward is None.* in episode 2 at step 3"):
        envs.step(np.zeros((2, 2), np.float32))


def test_recording_stops_at_a_fault(script):
    script(with_(1, np.inf))
    with pytest.raises(FaultyEnvironmentError, match=r"reward is inf, in episode 2 \(seed 9\)"):
        record(ScriptConfig(), lambda state: PUSH, 3, first_seed=8)


def test_recording_an_environment_without_a_time_limit_ends():
    class Endless(Script):
        def step(self, action):
            return GOOD, 0.0, False, False, {"success": True}

    MAKE[:] = [lambda: Endless(lambda: None)]
    with pytest.raises(FaultyEnvironmentError, match="not ended at the horizon"):
        record(ScriptConfig(), lambda state: PUSH, 1)
    MAKE[:] = [lambda: TimeLimit(Endless(lambda: None), 5)]
    assert len(record(ScriptConfig(), lambda state: PUSH, 1)[0]) == 5


PLUGIN = """
import pluggy
from typing import Literal
from nppac_envs import EnvConfig, hookimpl

class LabConfig(EnvConfig):
    kind: Literal["lab"] = "lab"
    horizon: int = 5
    @property
    def has_success(self): return False
    def make(self, *, render_mode=None): return None

@hookimpl
def nppac_env_configs(): return [LabConfig]
"""


def test_a_plugins_environment_has_its_distribution(tmp_path, monkeypatch):
    info = tmp_path / "lab_envs-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-envs\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text("[nppac.envs]\nlab = lab_checked\n")
    (tmp_path / "lab_checked.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    config = importlib.import_module("lab_checked").LabConfig()
    with pytest.raises(FaultyEnvironmentError) as caught:
        make_checked(config)
    assert caught.value.plugin == "lab-envs 0.3"
    assert str(caught.value).startswith("environment 'lab' of plugin lab-envs 0.3: make() returned")
