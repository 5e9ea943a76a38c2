"""`make_checked`: an environment whose every step is held to the contract of `EnvConfig.make`.

Rollouts, evaluation and recording make their environments with it, so that a fault is told where it
arises, in one line with the environment, the quantity, the episode and the step, instead of
surfacing later as numbers that are not finite.
"""

from __future__ import annotations

from typing import Any, NoReturn, final

import gymnasium
import numpy as np
from numpy.typing import NDArray

from nppac_envs.config import EnvConfig
from nppac_envs.errors import EnvsError
from nppac_envs.faults import (
    described,
    fault,
    in_one_line,
    let_interruption_pass,
    require_boxes,
)

LARGEST_REWARD = 1e15
"""Rewards beyond it would take the square of a critic's error out of float32's range."""

_NUMBERS = (float, int, np.floating, np.integer, np.bool_)
_FLAGS = (bool, np.bool_)


def make_checked(config: EnvConfig, *, render_mode: str | None = None) -> CheckedEnv:
    """The environment of a config, wrapped in `CheckedEnv`.

    Args:
        config: Of any kind.
        render_mode: As `EnvConfig.make` takes it.

    Raises:
        ConfigError: Its spaces are not the boxes that agents need.
        FaultyEnvironmentError: `make` raised an error, or returned no environment.
    """
    try:
        env: Any = config.make(render_mode=render_mode)
    except EnvsError:
        raise
    except (Exception, SystemExit) as error:
        let_interruption_pass(error)
        raise fault(config, f"make() raised {in_one_line(error)}") from error
    if not isinstance(env, gymnasium.Env):
        raise fault(config, f"make() returned {described(env)}, has to return a gymnasium.Env")
    require_boxes(config, env)
    return CheckedEnv(env, config)


@final
class CheckedEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Passes an environment's steps on if they are sound; `info` holds `success` alone, if there.

    Attributes:
        episode: Resets so far.
        elapsed: Steps of the episode so far.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], config: EnvConfig) -> None:
        """Wrap the environment that a config made."""
        super().__init__(env)
        self.episode = 0
        self.elapsed = 0
        self._config = config
        self._seed: int | None = None
        self._shape = env.observation_space.shape
        self._dtype: np.dtype[Any] | None = None
        self._is_float32 = False
        self._horizon = config.horizon
        self._claims_success = config.has_success is True
        self._told_success = False
        self._rewards = config.reward_range or (-LARGEST_REWARD, LARGEST_REWARD)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Start a new episode.

        Raises:
            FaultyEnvironmentError: It raised an error, or its observation is not sound.
        """
        self.episode, self.elapsed, self._seed = self.episode + 1, 0, seed
        self._told_success = False
        try:
            outcome: Any = self.env.reset(seed=seed, options=options)
        except EnvsError:
            raise
        except (Exception, SystemExit) as error:
            let_interruption_pass(error)
            self._raise(f"reset() raised {in_one_line(error)}", error)
        observation, info = self._unpacked(outcome, 2, "reset")
        self._check_observation(observation)
        return observation, self._success(info)

    def step(self, action: Any) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        """One step.

        Raises:
            FaultyEnvironmentError: It raised an error, something that it returned is not sound, or
                the episode goes on beyond the horizon.
        """
        self.elapsed += 1
        try:
            outcome: Any = self.env.step(action)
        except EnvsError:
            raise
        except (Exception, SystemExit) as error:
            let_interruption_pass(error)
            self._raise(f"step() raised {in_one_line(error)}", error)
        observation, reward, terminated, truncated, info = self._unpacked(outcome, 5, "step")
        self._check_observation(observation)
        least, greatest = self._rewards
        if not (isinstance(reward, _NUMBERS) and least <= reward <= greatest):
            self._raise_reward(reward)
        if not (isinstance(terminated, _FLAGS) and isinstance(truncated, _FLAGS)):
            name = "truncated" if isinstance(terminated, _FLAGS) else "terminated"
            value = truncated if isinstance(terminated, _FLAGS) else terminated
            self._raise(f"{name} is {described(value)}, has to be a bool")
        ended = terminated or truncated
        if self._horizon is not None and self.elapsed >= self._horizon and not ended:
            self._raise(
                "the episode has not ended at the horizon; make() has to truncate it there, such "
                f"as with gymnasium.wrappers.TimeLimit(env, {self._horizon})"
            )
        told = self._success(info)
        self._told_success |= "success" in told
        if ended and self._claims_success and not self._told_success:
            self._raise(
                'its config says has_success, and no info of the episode held "success" (or '
                f'"is_success"); the last one held {", ".join(map(repr, info)) or "nothing"}'
            )
        return observation, float(reward), bool(terminated), bool(truncated), told

    def _unpacked(self, outcome: Any, count: int, method: str) -> tuple[Any, ...]:
        if not isinstance(outcome, tuple) or len(outcome) != count:
            length = f" of {len(outcome)}" if isinstance(outcome, tuple) else ""
            self._raise(
                f"{method}() returned {described(outcome)}{length}, has to return a tuple of "
                f"{count}"
            )
        return outcome

    def _check_observation(self, observation: Any) -> None:
        if (
            not isinstance(observation, np.ndarray)
            or observation.shape != self._shape
            or observation.dtype != self._dtype
        ):
            self._check_type(observation)
        if not np.isfinite(observation).all():
            index = int(np.argmin(np.isfinite(observation)))
            self._raise(f"observation is {observation[index]} in entry {index}")
        if not self._is_float32:
            with np.errstate(over="ignore"):
                as_stored = observation.astype(np.float32)
            if not np.isfinite(as_stored).all():
                index = int(np.argmin(np.isfinite(as_stored)))
                self._raise(
                    f"observation is {observation[index]} in entry {index}, which float32 cannot "
                    "hold"
                )

    def _check_type(self, observation: Any) -> None:
        """The first observation decides on the data type."""
        if not isinstance(observation, np.ndarray) or observation.shape != self._shape:
            self._raise(
                f"observation is {described(observation)}, has to be an array of shape "
                f"{self._shape}, as the observation space says"
            )
        if self._dtype is None and observation.dtype.kind in "fiub":
            self._dtype = observation.dtype
            self._is_float32 = observation.dtype == np.float32
        elif self._dtype is None:
            self._raise(f"observation is {described(observation)}, has to hold real numbers")
        else:
            self._raise(f"observation has become {observation.dtype}, was {self._dtype}")

    def _raise_reward(self, reward: Any) -> NoReturn:
        if not isinstance(reward, _NUMBERS):
            self._raise(f"reward is {described(reward)}, has to be a number")
        value = float(reward)
        if not np.isfinite(value):
            self._raise(f"reward is {value:g}")
        if abs(value) > LARGEST_REWARD:
            self._raise(f"reward is {value:g}, beyond {LARGEST_REWARD:g}; scale it")
        least, greatest = self._rewards
        self._raise(
            f"reward is {value:g}, its config says that rewards are from {least:g} to {greatest:g}"
        )

    def _success(self, info: Any) -> dict[str, Any]:
        if not isinstance(info, dict):
            self._raise(f"info is {described(info)}, has to be a dict")
        success = info.get("success", info.get("is_success"))
        if success is None:
            return {}
        if not isinstance(success, _NUMBERS):
            self._raise(f'info["success"] is {described(success)}, has to be a bool')
        return {"success": bool(success)}

    def _raise(self, problem: str, cause: BaseException | None = None) -> NoReturn:
        seed = "" if self._seed is None else f" (seed {self._seed})"
        place = f"step {self.elapsed}" if self.elapsed else "its reset"
        raise fault(
            self._config, f"{problem}, in episode {self.episode}{seed} at {place}"
        ) from cause
