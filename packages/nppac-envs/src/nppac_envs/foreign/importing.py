"""`make_named`: the environment behind an id or a callable, as its author made it.

`require_there` and `may_be_registered` look an id up before.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
from gymnasium.envs.registration import find_highest_version, parse_env_id
from gymnasium.wrappers import TimeLimit

from nppac_envs.errors import ConfigError
from nppac_envs.faults import described, in_one_line, let_interruption_pass
from nppac_envs.foreign import DEFAULT_HORIZON

if TYPE_CHECKING:
    from nppac_envs.foreign.config import GymnasiumConfig


def make_named(config: GymnasiumConfig, render_mode: str | None) -> gymnasium.Env[Any, Any]:
    """Import and make an environment, with a time limit where it has none of its own.

    Raises:
        ConfigError: There is no such module, id or callable, or it refuses its arguments.
    """
    module = imported_module(config)
    name = config.id.rpartition(":")[2]
    options = dict(config.kwargs) | ({"render_mode": render_mode} if render_mode else {})
    if name in gymnasium.registry or module is None:
        options["disable_env_checker"] = True
        if config.horizon is not None:
            options["max_episode_steps"] = config.horizon
        env = _called(config, gymnasium.make, name, **options)
        limited = config.horizon or (env.spec is not None and env.spec.max_episode_steps)
        return env if limited else TimeLimit(env, DEFAULT_HORIZON)
    make = getattr(module, name, None)
    if not callable(make):
        raise ConfigError(
            f"env.id: module {module.__name__!r} ({place_of(module)}) neither registers nor "
            f"defines {name!r}"
        )
    env = _called(config, make, **options)
    if not isinstance(env, gymnasium.Env):
        raise ConfigError(f"env.id: {config.id!r} returned {described(env)}, no gymnasium.Env")
    return TimeLimit(env, config.horizon or DEFAULT_HORIZON)


def require_there(config: GymnasiumConfig) -> None:
    """Refuse an id that is not registered, or whose module's package is not installed.

    Nothing is imported, so what a module registers or defines is left alone, and so is a module
    within a package.

    Raises:
        ConfigError: No package that is imported by now has registered it, or there is none of that
            name, as making it would say.
    """
    module, colon, _ = config.id.rpartition(":")
    if not colon:
        _called(config, _look_up, config.id)
    elif not _can_be_found(package := module.partition(".")[0]):
        raise _no_module(package)


def may_be_registered(kind: str) -> bool:
    """Whether what stands for the kind of an environment is an id, or names a module."""
    try:
        if ":" not in kind:
            _look_up(kind)
    except gymnasium.error.Error:
        return False
    return True


def _look_up(name: str) -> None:
    """Find a registered id; where it lacks the version, `gymnasium.make` takes the highest."""
    namespace, base, version = parse_env_id(name)
    if version is not None or find_highest_version(namespace, base) is None:
        gymnasium.spec(name)


def imported_module(config: GymnasiumConfig) -> Any:
    """The module that an id names, imported; None where it names none.

    Raises:
        ConfigError: It is not there, or raises an error.
    """
    name, colon, _ = config.id.rpartition(":")
    if not colon:
        return None
    try:
        with _without_working_directory():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ConfigError(f"env.id: importing {name!r} raised {in_one_line(error)}") from error
        raise _no_module(error.name) from None
    except (Exception, SystemExit) as error:
        let_interruption_pass(error)
        raise ConfigError(f"env.id: importing {name!r} raised {in_one_line(error)}") from error


def _can_be_found(package: str) -> bool:
    """Whether there is a module of this name, without a dot, to be imported."""
    if package in sys.modules:
        return True
    try:
        with _without_working_directory():
            return importlib.util.find_spec(package) is not None
    except ValueError:  # no name at all
        return False


def _no_module(name: str) -> ConfigError:
    return ConfigError(
        f"env.id: there is no module {name!r} among what is installed or on PYTHONPATH; "
        "install it, or put its folder there (the current directory is not searched by itself)"
    )


def place_of(module: Any) -> str:
    """Where a module was imported from."""
    return str(getattr(module, "__file__", None) or "built in")


def _called(config: GymnasiumConfig, make: Any, *arguments: Any, **options: Any) -> Any:
    try:
        with _without_working_directory():  # what is imported as it is made, too
            return make(*arguments, **options)
    except (gymnasium.error.Error, TypeError) as error:
        hint = "" if ":" in config.id else '; "module:Name-v0" imports the module that registers it'
        if "render_mode" in options and isinstance(error, TypeError):
            hint = '; an environment that is to be drawn takes render_mode="rgb_array"'
        raise ConfigError(f"env.id: {config.id!r}: {in_one_line(error)}{hint}") from error


@contextlib.contextmanager
def _without_working_directory() -> Iterator[None]:
    """The search path without the current directory, unless PYTHONPATH has it."""
    here = Path.cwd().resolve()
    wanted = {Path(p).resolve() for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p}
    before = list(sys.path)
    if here not in wanted:
        sys.path[:] = [p for p in before if Path(p or ".").resolve() != here]
    try:
        yield
    finally:
        sys.path[:] = before
