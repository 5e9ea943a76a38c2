"""Demonstrations that others publish, how each is prepared, and what has to come out.

Numbers of the sets on Minari's server are those of its documentation; a hash is written down where
the set was prepared from the published file itself. `nppac-demos fetch NAME` does what is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
        steps: How many these have; None where it is not known.
        state_entries: The first entries of the state that are kept; None keeps all.
        judge: The task whose rule decides success; None keeps what was recorded.
        rewards: Replaced by what follows from success; None keeps those of the set.
        hash: Of the prepared set; None where it is not known.
    """

    settings: Mapping[str, Any]
    page: str
    episodes: int
    steps: int | None = None
    state_entries: int | None = None
    judge: str | None = None
    rewards: Literal["zero-one", "binary"] | None = None
    hash: str | None = None

    @property
    def origin(self) -> str:
        """The kind of its source, and its id or file there, in some words."""
        place = self.settings.get("id", self.settings.get("path"))
        return f"{self.settings['source']} {place}"


def _minari(id: str, episodes: int, steps: int | None = None, **more: Any) -> PublicSet:
    """A whole set of Minari's server, or with `n_episodes` its first ones."""
    settings = {"source": "minari", "id": id, "download": True}
    if (first := more.pop("n_episodes", None)) is not None:
        settings["n_episodes"] = first
    return PublicSet(settings, minari_page(id), episodes, steps, **more)


PUBLIC_SETS = {
    # Human demonstrations of the hand tasks; their rewards become 1 on success as they are read.
    "door-human": _minari("D4RL/door/human-v2", 25, 6729),
    "pen-human": _minari("D4RL/pen/human-v2", 25, 5000),
    "hammer-human": _minari("D4RL/hammer/human-v2", 25, 11310),
    "relocate-human": _minari("D4RL/relocate/human-v2", 25, 9942),
    # The same door and pen demonstrations as N-PPAC took them, from the releases of DAPG and AWAC.
    "door-dapg": PublicSet(
        {"source": "dapg", "path": "door-v0_demos.pickle"},
        "https://github.com/aravindr93/hand_dapg/tree/master/dapg/demonstrations",
        25,
        6704,
        judge="door",
        rewards="zero-one",
        hash="d442f78a2e710a8f34c18c43b81477a580198fe078c5897b1cfdafb6b7083b41",
    ),
    "pen-awac": PublicSet(
        {"source": "awac", "path": "pen2_sparse.npy"},
        "https://github.com/rail-berkeley/rlkit/tree/master/examples/awac",
        25,
        4975,
        rewards="zero-one",
        hash="1db2cf6c6a2dc585fb30f4c9740510adfcfda4cfaa829b537df17a29cee9e37a",
    ),
    # Experts of locomotion; the ant without external contact forces, as its variant v2.
    "halfcheetah-expert": _minari("mujoco/halfcheetah/expert-v0", 15, 15000, n_episodes=15),
    "walker2d-expert": _minari("mujoco/walker2d/expert-v0", 15, n_episodes=15),
    "ant-expert": _minari("mujoco/ant/expert-v0", 15, n_episodes=15, state_entries=27),
}


def fetch_hint(stem: str) -> str:
    """What to do about a missing file of this name; empty where it is none of these."""
    return f"; nppac-demos fetch {stem} writes it" if stem in PUBLIC_SETS else ""
