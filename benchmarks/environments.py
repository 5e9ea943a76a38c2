"""Steps per second of every task, beside the bare environment that it wraps.

Both step the same actions in turns, so that the ratio of their times does not depend on what else
the machine does; it is the median over the turns. One environment is timed by processor time,
vector environments (one process a worker) by the clock. The bare environment is Gymnasium's or
Gymnasium-Robotics' own id, with the same time limit; pushing has none and is compared with its
physics alone: no observation, no reward.

    python benchmarks/environments.py [--workers 1 2 8] [--turns 20] [--only door push]

One JSON object a task.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from nppac_envs.config import EnvConfig
from nppac_envs.mujoco_task import logged_warnings
from nppac_envs.plugin import nppac_env_configs

BARE = {
    "door": "AdroitHandDoorSparse-v1",
    "pen": "AdroitHandPenSparse-v1",
    "hammer": "AdroitHandHammerSparse-v1",
    "relocate": "AdroitHandRelocateSparse-v1",
    "halfcheetah": "HalfCheetah-v5",
    "walker2d": "Walker2d-v5",
    "ant": "Ant-v5",
    "hopper": "Hopper-v5",
}


class Physics(gym.Env[Any, Any]):
    """The pushing task's simulator, stepped and nothing else."""

    def __init__(self) -> None:
        from nppac_envs.pushing.task import PushTask

        self.task = PushTask()
        self.action_space = self.task.action_space
        self.observation_space = gym.spaces.Discrete(1)

    def reset(self, **settings: Any) -> tuple[Any, dict[str, Any]]:
        self.task.reset(**settings)
        return 0, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.task.move(action)
        return 0, 0.0, False, False, {}


def bare(kind: str, horizon: int) -> gym.Env[Any, Any]:
    if kind == "push":
        return gym.wrappers.TimeLimit(Physics(), horizon)
    if kind in ("door", "pen", "hammer", "relocate"):
        import gymnasium_robotics

        gym.register_envs(gymnasium_robotics)
    with logged_warnings():
        return gym.make(BARE[kind], max_episode_steps=horizon, disable_env_checker=True)


def run(env: Any, actions: np.ndarray, clock: Callable[[], float]) -> float:
    """Seconds of one turn; a single environment is reset when its episode ends."""
    vector = isinstance(env, AsyncVectorEnv)
    start = clock()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if not vector and (terminated or truncated):
            env.reset()
    return clock() - start


def compare(config: EnvConfig, workers: int | None, turns: int, steps: int) -> tuple[float, float]:
    """Steps per second of the task, and its time over the bare environment's."""
    rng = np.random.default_rng(0)
    makers = [config.make, partial(bare, config.kind, config.horizon)]
    if workers is None:
        envs, clock = [make() for make in makers], time.process_time
    else:
        mode = AutoresetMode.SAME_STEP
        envs = [AsyncVectorEnv([make] * workers, autoreset_mode=mode) for make in makers]
        clock = time.perf_counter
    shape = (steps, *envs[0].action_space.shape)
    seconds: list[list[float]] = [[], []]
    for env in envs:
        env.reset(seed=0)
    for turn in range(turns + 1):
        actions = rng.uniform(-1, 1, shape).astype(np.float32)
        for side in (0, 1) if turn % 2 else (1, 0):
            elapsed = run(envs[side], actions, clock)
            if turn:  # the first warms up
                seconds[side].append(elapsed)
    for env in envs:
        env.close()
    ratio = statistics.median(ours / other for ours, other in zip(*seconds, strict=True))
    return steps * (workers or 1) / statistics.median(seconds[0]), ratio


def main() -> None:
    """Prints one JSON object a task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 8])
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--steps", type=int, default=100, help="steps of a turn")
    parser.add_argument("--only", nargs="*", help="kinds")
    arguments = parser.parse_args()
    for config_class in nppac_env_configs():
        kind = config_class.model_fields["kind"].default
        if kind not in {*BARE, "push"} or kind not in (arguments.only or [kind]):
            continue
        config = config_class()
        row: dict[str, Any] = {"task": config.kind, "steps_per_second": {}, "time_over_bare": {}}
        for workers in (None, *arguments.workers):
            name = "one" if workers is None else f"{workers} workers"
            speed, ratio = compare(config, workers, arguments.turns, arguments.steps)
            row["steps_per_second"][name] = round(speed)
            row["time_over_bare"][name] = round(ratio, 3)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
