"""`prepare`: a published set, fetched, converted and checked as `public_sets` has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.file_guard import expanded
from nppac_envs.demonstrations.public_sets import PUBLIC_SETS, PublicSet
from nppac_envs.demonstrations.sources import DemonstrationsSource
from nppac_envs.errors import ConfigError, DataError


def prepare(name: str, public: PublicSet | None = None) -> Demonstrations:
    """Fetch a published set if it is not there, convert it, and check what came out.

    Args:
        name: A key of `PUBLIC_SETS`.
        public: Instead of what the table has under this name.

    Raises:
        ConfigError: The name is unknown.
        DataError: The set cannot be fetched, lacks a file, or is another than the table says.
    """
    if public is None:
        if name not in PUBLIC_SETS:
            raise ConfigError(f"there is no set {name!r}; there are {', '.join(PUBLIC_SETS)}")
        public = PUBLIC_SETS[name]
    _require_file(name, public)
    config: Any = TypeAdapter(DemonstrationsSource).validate_python(dict(public.settings))
    prepared = _converted(config.load(), public)
    dimensions = prepared.state_dim, prepared.action_dim
    for what, ours, theirs in (
        ("episodes", public.episodes, prepared.n_episodes),
        ("state and action dimensions", public.dimensions, dimensions),
        ("steps", public.steps, len(prepared)),
        ("hash", public.hash, prepared.hash),
    ):
        if ours is not None and ours != theirs:
            raise DataError(
                f"{name}: has {what} {theirs} after its conversion, and {ours} were written down; "
                f"the set at {public.page} is another one now, or arrived in part"
            )
    return prepared


def _require_file(name: str, public: PublicSet) -> None:
    """A file that no server of a library has is to be put here by hand."""
    path = public.settings.get("path")
    if path is not None and not expanded(path).is_file():
        raise DataError(
            f"{name}: there is no {path} in {Path.cwd()}; put it there from {public.page}"
        )


def _converted(demonstrations: Demonstrations, public: PublicSet) -> Demonstrations:
    """Success and rewards as the table has them."""
    if public.judge is not None:
        demonstrations = demonstrations.judged(public.judge)
    if public.rewards is not None:
        demonstrations = demonstrations.relabelled(public.rewards)
    return demonstrations
