"""`adapted`: a Gymnasium environment of anybody with the spaces and infos that the contract asks.

From the inside out: the environment with its time limit; its observations as one float32 vector;
its actions behind a map from [-1, 1] onto its own bounds; its success under one name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import gymnasium
import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import ConfigError
from nppac_envs.faults import PURPOSE, shown
from nppac_envs.foreign.importing import make_named
from nppac_envs.foreign.success import ReportSuccess

if TYPE_CHECKING:
    from nppac_envs.foreign.config import GymnasiumConfig


def adapted(config: GymnasiumConfig, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
    """Make the environment of a config, as `EnvConfig.make` promises it.

    Raises:
        ConfigError: It cannot be made, or a space is none that can be adapted; names the space.
    """
    env: Any = make_named(config, render_mode)
    try:
        env = FlatObservations(env, config)
        env = _with_unit_actions(env, config)
    except ConfigError:
        env.close()
        raise
    return ReportSuccess(env, config)


@final
class FlatObservations(gymnasium.ObservationWrapper[NDArray[np.float32], Any, Any]):
    """Observations as one float32 vector (S,), dict entries in the order of Gymnasium's space.

    Attributes:
        keys: The entries of a dict observation that are used, in order; None for a plain box.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], config: GymnasiumConfig) -> None:
        """Wrap an environment.

        Raises:
            ConfigError: Its observations are no vectors of numbers, or lack a key.
        """
        super().__init__(env)
        space = env.observation_space
        self.keys: tuple[str, ...] | None = None
        if isinstance(space, gymnasium.spaces.Dict):
            self.keys = _chosen_keys(space, config)
            boxes: dict[str, Any] = {f" entry {key!r}": space[key] for key in self.keys}
        elif config.observation_keys is not None:
            raise ConfigError(
                f"env.observation_keys: {config.id!r} has the observation space {shown(space)}, "
                "which is no Dict; leave them out"
            )
        else:
            boxes = {"": space}
        for name, box in boxes.items():
            _require_vector(box, f"env.id: {config.id!r}: its observation space{name}")
        low, high = ([_flat(getattr(b, end)) for b in boxes.values()] for end in ("low", "high"))
        self.observation_space = gymnasium.spaces.Box(np.concatenate(low), np.concatenate(high))

    def observation(self, observation: Any) -> Any:
        """One float32 vector; what is no number of the space is passed on, to be told of."""
        if self.keys is None:
            return _flat(observation) if _is_numeric(observation) else observation
        entries = [observation[key] for key in self.keys]
        return np.concatenate([_flat(entry) for entry in entries])


@final
class MappedActions(gymnasium.ActionWrapper[Any, NDArray[np.float32], Any]):
    """Maps actions in [-1, 1] onto the environment's own bounds, each dimension by itself.

    Attributes:
        low: (A,) what -1 stands for, in the environment's units.
        high: (A,) what 1 stands for.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        """Wrap an environment whose action space is a bounded box (A,)."""
        super().__init__(env)
        own: Any = env.action_space
        self.low: NDArray[np.float64] = own.low.astype(np.float64)
        self.high: NDArray[np.float64] = own.high.astype(np.float64)
        self._type = own.dtype
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, self.low.shape, np.float32)

    def action(self, action: NDArray[np.float32]) -> NDArray[Any]:
        """The middle of the bounds for 0; never outside them."""
        share = (np.asarray(action, np.float64) + 1.0) / 2.0
        mapped = self.low + share * (self.high - self.low)
        return np.clip(mapped, self.low, self.high).astype(self._type)


def action_bounds(env: gymnasium.Env[Any, Any]) -> NDArray[np.float64] | None:
    """(2, A) what -1 and 1 stand for in an environment's own units; None where they are its own."""
    layer: Any = env
    while isinstance(layer, gymnasium.Wrapper):
        if isinstance(layer, MappedActions):
            return np.stack([layer.low, layer.high])
        layer = layer.env
    return None


def _with_unit_actions(
    env: gymnasium.Env[Any, Any], config: GymnasiumConfig
) -> gymnasium.Env[Any, Any]:
    """Behind the map; as it is where the bounds are -1 and 1 in float32 already."""
    space, where = env.action_space, f"env.id: {config.id!r}: its action space"
    if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1:
        raise ConfigError(f"{where} is {shown(space)}, has to be a Box of one dimension; {PURPOSE}")
    if not np.issubdtype(space.dtype, np.floating):
        raise ConfigError(f"{where} is {shown(space)}, has to hold real numbers; {PURPOSE}")
    unbounded = ~(np.isfinite(space.low) & np.isfinite(space.high) & (space.low < space.high))
    if unbounded.any():
        index = int(np.argmax(unbounded))
        raise ConfigError(
            f"{where} is {shown(space)}, has to be bounded; dimension {index} goes from "
            f"{space.low[index]:g} to {space.high[index]:g}: give the environment the bounds "
            "within which its actions make sense"
        )
    if space == gymnasium.spaces.Box(-1.0, 1.0, space.shape, np.float32):
        return env
    return MappedActions(env)


def _chosen_keys(space: gymnasium.spaces.Dict, config: GymnasiumConfig) -> tuple[str, ...]:
    wanted = config.observation_keys
    missing = [key for key in wanted or () if key not in space.spaces]
    if missing:
        raise ConfigError(
            f"env.observation_keys: {config.id!r} has no observation {missing[0]!r}; it has "
            f"{', '.join(map(repr, space.spaces))}"
        )
    return tuple(key for key in space.spaces if wanted is None or key in wanted)


def _require_vector(space: Any, where: str) -> None:
    is_box = isinstance(space, gymnasium.spaces.Box)
    if is_box and len(space.shape) <= 1 and np.dtype(space.dtype).kind in "fiu":
        return
    other = "; env.observation_keys chooses others" if "entry" in where else ""
    raise ConfigError(
        f"{where} is {shown(space)}, has to be a Box of one dimension{other}; {PURPOSE}"
    )


def _is_numeric(observation: Any) -> bool:
    return isinstance(observation, np.ndarray | np.number) and observation.dtype.kind in "fiub"


def _flat(values: Any) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.atleast_1d(np.asarray(values).astype(np.float32))
