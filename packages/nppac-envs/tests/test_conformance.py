"""Every built-in environment passes the kit that authors of environments use."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit
from nppac_envs import ConfigError, EnvConfig
from nppac_envs.plugin import TASKS
from nppac_envs.testing import EnvConformance

pytestmark = pytest.mark.medium

for _cls in TASKS:
    _name = f"Test{_cls.__name__.removesuffix('Config')}"
    globals()[_name] = type(_name, (EnvConformance,), {"config": _cls(horizon=12)})


class Drift(gymnasium.Env[Any, Any]):
    """A number that drifts; a class below breaks one rule each."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    fault = ""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        unseeded = np.random.default_rng().uniform()
        self.place = unseeded if self.fault == "seed" else self.np_random.uniform()
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        self.place += float(action[0]) + self.np_random.normal()
        reward = np.nan if self.fault == "finite" else 0.0
        info = {} if self.fault == "success" else {"success": False}
        return self._seen(), reward, False, False, info

    def _seen(self) -> Any:
        return np.array([self.place], np.float32)

    def get_state(self) -> dict[str, Any]:
        return {"place": np.array(self.place)}

    def set_state(self, state: dict[str, Any]) -> None:
        self.place = 0.0 if self.fault == "state" else float(state["place"])


class DriftConfig(EnvConfig, frozen=True):
    kind: Literal["drift"] = "drift"
    horizon: int = 10
    fault: str = ""

    @property
    def has_success(self) -> bool:
        return True

    @property
    def dimensions(self) -> tuple[int, int]:
        return (2, 1) if self.fault == "dimensions" else (1, 1)

    def make(self, *, render_mode: str | None = None) -> Any:
        task = Drift()
        task.fault = self.fault
        if self.fault == "spaces":
            task.action_space = gymnasium.spaces.Box(-2.0, 2.0, (1,), np.float32)
        return task if self.fault == "horizon" else TimeLimit(task, self.horizon)


CHECKS = {
    "spaces": "test_spaces_are_boxes",
    "dimensions": "test_spaces_are_boxes",
    "finite": "test_observations_and_rewards_are_finite",
    "horizon": "test_an_episode_ends_within_the_horizon",
    "success": "test_success_is_reported_where_there_is_one",
    "seed": "test_the_seed_decides_the_episode",
    "state": "test_a_stored_state_is_exact",
}


def kit(fault: str) -> EnvConformance:
    made = EnvConformance()
    made.config = DriftConfig(fault=fault)  # pyright: ignore[reportAttributeAccessIssue]
    return made


@pytest.mark.parametrize("fault", CHECKS)
def test_the_kit_catches_a_fault_and_passes_what_has_none(fault: str) -> None:
    getattr(kit(""), CHECKS[fault])()
    with pytest.raises(ConfigError if fault == "state" else AssertionError):
        getattr(kit(fault), CHECKS[fault])()
