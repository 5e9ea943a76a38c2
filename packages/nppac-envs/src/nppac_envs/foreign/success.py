"""`ReportSuccess`: an environment's own word for success, as the contract's `info["success"]`."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, final

import gymnasium
import numpy as np

from nppac_envs.faults import described, fault

if TYPE_CHECKING:
    from nppac_envs.foreign.config import GymnasiumConfig

BY_THEMSELVES = ("success", "is_success")
"""Flags that are found without being named; the second is Stable-Baselines3's."""

_COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


@final
class ReportSuccess(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds `success` to the info of steps; an environment may tell it at an episode's end alone."""

    def __init__(self, env: gymnasium.Env[Any, Any], config: GymnasiumConfig) -> None:
        """Wrap an environment."""
        super().__init__(env)
        self._config = config
        self._told = False

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Start a new episode."""
        self._told = False
        observation, info = super().reset(**options)
        return observation, {k: v for k, v in info.items() if k not in BY_THEMSELVES}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """One step.

        Raises:
            FaultyEnvironmentError: `success` of the config names a key that the infos of a whole
                episode have not held, or that does not hold a number.
        """
        observation, reward, terminated, truncated, info = super().step(action)
        success = self._success(info)
        self._told |= success is not None
        named = self._config.success
        if named is not None and (terminated or truncated) and not self._told:
            key = named if isinstance(named, str) else named.key
            raise fault(
                self._config,
                f"no info of a whole episode held {key!r}, which env.success names; the last one "
                f"held {', '.join(map(repr, info)) or 'nothing'}",
            )
        info = {k: v for k, v in info.items() if k not in BY_THEMSELVES}
        if success is not None or named is not None:
            info["success"] = bool(success)
        return observation, reward, terminated, truncated, info

    def _success(self, info: dict[str, Any]) -> bool | None:
        named = self._config.success
        if named is None:
            found = [self._number(info, key) for key in BY_THEMSELVES if info.get(key) is not None]
            return bool(found[0]) if found else None
        key = named if isinstance(named, str) else named.key
        if info.get(key) is None:
            return None
        number = self._number(info, key)
        if isinstance(named, str):
            return bool(number)
        return bool(_COMPARISONS[named.comparison](number, named.number))

    def _number(self, info: dict[str, Any], key: str) -> float:
        value = info[key]
        if not (np.isscalar(value) or getattr(value, "size", 0) == 1) or isinstance(value, str):
            raise fault(self._config, f'info["{key}"] is {described(value)}, has to be one number')
        return float(np.asarray(value).reshape(()))
