"""`locate`: from what a person types (a path, a Minari id, a name) to a source's config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nppac_envs.demonstrations.config import DemonstrationsConfig
from nppac_envs.demonstrations.file_guard import expanded
from nppac_envs.demonstrations.robomimic import has_episode_groups
from nppac_envs.demonstrations.shipped import shipped_names
from nppac_envs.demonstrations.sources import DemonstrationsSource
from nppac_envs.errors import ConfigError

SOURCES = ("minari", "npz", "csv", "d4rl", "robomimic", "dapg", "awac", "lerobot", "shipped")
_SUFFIXES = {
    ".npz": "npz",
    ".csv": "csv",
    ".hdf5": "d4rl",
    ".h5": "d4rl",
    ".pickle": "dapg",
    ".pkl": "dapg",
    ".npy": "awac",
}


def locate(
    text: str,
    *,
    source: str | None = None,
    fields: Mapping[str, str] | None = None,
    **settings: Any,
) -> DemonstrationsConfig:
    """The config of the source that a text names.

    Args:
        text: A file (told by its suffix), a LeRobot folder, the folder of a Minari set, the name of
            a set that ships, or a Minari id.
        source: One of `SOURCES`, instead of finding out.
        fields: Names in the file by names of ours, but for pickles.
        settings: Other fields of the config; those that are None are left out.

    Raises:
        ConfigError: The source is unknown, or does not take one of the settings.
    """
    kind = source or _kind(text, fields or {})
    if kind not in SOURCES:
        raise ConfigError(f"source {kind!r} is unknown; there are {', '.join(map(repr, SOURCES))}")
    given = {name: value for name, value in settings.items() if value is not None}
    if fields:
        given["fields"] = dict(fields)
    given |= {"source": kind} | _place(kind, text)
    try:
        return TypeAdapter(DemonstrationsSource).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join([kind, ".".join(map(str, first["loc"][1:]))]).strip()
        problem = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{text}: {where}: {problem}") from error


def _kind(text: str, fields: Mapping[str, str]) -> str:
    path = expanded(text)
    if (path / "meta" / "info.json").is_file():
        return "lerobot"
    if (path / "data" / "metadata.json").is_file():
        return "minari"
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind == "d4rl" and path.is_file():
        parents = {"data", fields.get("episodes", "data")}
        if any(has_episode_groups(path, parent) for parent in parents):
            return "robomimic"
    if kind is not None:
        return kind
    if path.exists():
        raise ConfigError(f"{text}: cannot tell what it is; name its source: {', '.join(SOURCES)}")
    return "shipped" if text in shipped_names() else "minari"


def _place(kind: str, text: str) -> dict[str, Any]:
    """The fields that say where the set is."""
    path = expanded(text)
    if kind == "shipped":
        return {"name": text}
    if kind != "minari":
        return {"path": path}
    if (path / "data" / "metadata.json").is_file():
        path = path.resolve()
        return {"root": path.parent, "id": path.name}
    return {"id": text}
