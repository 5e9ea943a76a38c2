"""Demonstrations that others publish, how each is prepared, and what has to come out.

A hash, over all arrays of the prepared set, is written down where that was prepared from the
published file itself: the releases of DAPG and AWAC. Of the sets on Minari's server no copy was at
hand: their numbers are those of its documentation, which does not tell the steps of the first
episodes of walker2d and ant. `nppac-demos fetch NAME` does what is here and says what it compared.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

_MINARI = "https://huggingface.co/datasets/farama-minari"


def minari_page(id: str) -> str:
    """Where a set of Minari's server can be looked at, and its files be fetched by hand."""
    collection, _, rest = id.partition("/")
    return f"{_MINARI}/{collection}/tree/main/{rest}/data"


@final
@dataclass(frozen=True)
class PublicSet:
    """One set.

    Attributes:
        settings: The source's config that reads it.
        page: Where its files are.
        episodes: How many are prepared.
        dimensions: Of a prepared state and of an action.
        steps: How many these have; None where it is not known.
        judge: The task whose rule decides success; None keeps what was recorded.
        rewards: Replaced by what follows from success; None keeps those of the set.
        hash: Of the prepared set; None where it is not known.
    """

    settings: Mapping[str, Any]
    page: str
    episodes: int
    dimensions: tuple[int, int]
    steps: int | None = None
    judge: str | None = None
    rewards: Literal["zero-one", "binary"] | None = None
    hash: str | None = None

    @property
    def compared(self) -> str:
        """What is compared with a prepared set, in words."""
        parts = {"steps": self.steps, "the hash": self.hash}
        told = ["episodes", "dimensions", *(name for name, of in parts.items() if of is not None)]
        return f"{', '.join(told[:-1])} and {told[-1]}"

    @property
    def origin(self) -> str:
        """The kind of its source, and its id or file there, in some words."""
        place = self.settings.get("id", self.settings.get("path"))
        return f"{self.settings['source']} {place}"


def _minari(
    id: str, episodes: int, dimensions: tuple[int, int], steps: int | None = None, **more: Any
) -> PublicSet:
    """A set of Minari's server; `more` of its settings choose from it."""
    settings = {"source": "minari", "id": id, "download": True, **more}
    return PublicSet(settings, minari_page(id), episodes, dimensions, steps)


PUBLIC_SETS = {
    # Human demonstrations of the hand tasks; their rewards become 1 on success as they are read.
    "door-human": _minari("D4RL/door/human-v2", 25, (39, 28), 6729),
    "pen-human": _minari("D4RL/pen/human-v2", 25, (45, 24), 5000),
    "hammer-human": _minari("D4RL/hammer/human-v2", 25, (46, 26), 11310),
    "relocate-human": _minari("D4RL/relocate/human-v2", 25, (39, 30), 9942),
    # The same door and pen demonstrations as N-PPAC took them, from the releases of DAPG and AWAC.
    "door-dapg": PublicSet(
        {"source": "dapg", "path": "door-v0_demos.pickle"},
        "https://github.com/aravindr93/hand_dapg/tree/master/dapg/demonstrations",
        25,
        (39, 28),
        6704,
        judge="door",
        rewards="zero-one",
        hash="d442f78a2e710a8f34c18c43b81477a580198fe078c5897b1cfdafb6b7083b41",
    ),
    "pen-awac": PublicSet(
        {"source": "awac", "path": "pen2_sparse.npy"},
        "https://github.com/rail-berkeley/rlkit/tree/master/examples/awac",
        25,
        (45, 24),
        4975,
        rewards="zero-one",
        hash="1db2cf6c6a2dc585fb30f4c9740510adfcfda4cfaa829b537df17a29cee9e37a",
    ),
    # Experts of locomotion; the ant without external contact forces, as its variant v2.
    "halfcheetah-expert": _minari(
        "mujoco/halfcheetah/expert-v0", 15, (17, 6), 15000, n_episodes=15
    ),
    "walker2d-expert": _minari("mujoco/walker2d/expert-v0", 15, (17, 6), n_episodes=15),
    "ant-expert": _minari("mujoco/ant/expert-v0", 15, (27, 8), n_episodes=15, state_entries=27),
}


def fetch_hint(path: Path) -> str:
    """What to do about a missing file of this name; empty where it is none of these."""
    if path.stem not in PUBLIC_SETS or path.suffix != ".npz":
        return ""
    output = [] if path == Path(path.name) else ["--output", str(path)]
    return f"; {shlex.join(['nppac-demos', 'fetch', path.stem, *output])} writes it"
