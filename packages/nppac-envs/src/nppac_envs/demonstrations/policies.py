"""`find_policy`: what to record from, by name: a random process, or any function of the state."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.file_guard import expanded, where_relative
from nppac_envs.demonstrations.recording import Policy
from nppac_envs.errors import ConfigError
from nppac_envs.random_process import OrnsteinUhlenbeck

PROCESSES = ("uniform", "ornstein-uhlenbeck")


def find_policy(name: str, action_dim: int, seed: int) -> Policy:
    """The policy that a name stands for.

    Args:
        name: One of `PROCESSES`, or MODULE:NAME or FILE.py:NAME. The module is run: name only one
            that you trust.
        action_dim: A.
        seed: Of a random process.

    Raises:
        ConfigError: There is no such thing, or it cannot be called.
    """
    rng = np.random.default_rng(seed)
    if name == "ornstein-uhlenbeck":
        return OrnsteinUhlenbeck(action_dim, rng)
    if name == "uniform":

        def uniform(state: NDArray[np.float32]) -> NDArray[np.float32]:
            del state
            return rng.uniform(-1.0, 1.0, action_dim).astype(np.float32)

        return uniform
    place, separator, attribute = name.rpartition(":")
    if not separator:
        raise ConfigError(
            f"policy {name!r} is unknown; it must be {', '.join(map(repr, PROCESSES))}, "
            "MODULE:NAME or FILE.py:NAME"
        )
    policy: Any = getattr(_module(place), attribute, None)
    if callable(policy):
        return cast("Policy", policy)
    raise ConfigError(f"{place} has no function {attribute!r}")


def _module(place: str) -> Any:
    try:
        if not place.endswith(".py"):
            return importlib.import_module(place)
        path = expanded(place)
        if not path.is_file():
            raise ConfigError(f"{place}: no such file{where_relative(path)}")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ConfigError(f"{place}: is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except ConfigError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{place}: fails to load ({type(error).__name__}: {reason})") from error
    return module
