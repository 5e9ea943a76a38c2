"""The spaces of a Minari set: which can be read, and dict observations as one vector."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import DataError


def no_vector(space: Any, key: str) -> str | None:
    """What in a space, as metadata describe it, is no one-dimensional Box; None if all is."""
    kind = space.get("type")
    if kind == "Dict" and key != "action_space":
        parts = [no_vector(part, f"{key}/{name}") for name, part in space["subspaces"].items()]
        return next((part for part in parts if part is not None), None)
    if kind == "Box" and space["shape"] == [len(space["low"])]:
        return None
    return f"{key.lstrip('/') or 'it'} is {kind or 'not there'} of shape {space.get('shape')}"


def check_keys(metadata: dict[str, Any], wanted: list[str], where: str) -> None:
    """Check that observations have the keys that are wanted.

    Raises:
        DataError: They have not; it lists those that are there.
    """
    there = json.loads(metadata["observation_space"]).get("subspaces", {})
    missing = [key for key in wanted if key not in there]
    if missing:
        raise DataError(
            f"{where}: its observations have no {missing[0]!r} (states); they have "
            f"{', '.join(map(repr, there)) or 'no keys'}"
        )


def width(space: Any, wanted: Callable[[str], bool] = lambda key: True) -> int:
    """How many numbers `flat` makes of an observation of a space without faults."""
    if space["type"] != "Dict":
        (numbers,) = space["shape"]
        return numbers
    subspaces = space["subspaces"].items()
    return sum(width(part) for key, part in subspaces if wanted(key))


def flat(
    space: dict[str, Any], values: Any, wanted: Callable[[str], bool] = lambda key: True
) -> NDArray[Any]:
    """(T + 1, S) observations, the entries of a dict side by side.

    Their order is that of the space as the set's metadata have it, which is the order in which
    `gymnasium.spaces.flatten` takes them in the environment; Minari itself sorts the keys.
    """
    if space["type"] != "Dict":
        return np.asarray(values)
    subspaces = space["subspaces"].items()
    parts = [flat(part, values[key]) for key, part in subspaces if wanted(key)]
    return np.concatenate(parts, axis=1)
