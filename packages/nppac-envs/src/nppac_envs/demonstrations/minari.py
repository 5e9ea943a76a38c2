"""Demonstrations from a Minari set (Younis et al., 2024), local or fetched from its server.

A set with dict observations, as goal-conditioned ones are, is flattened in the order of Gymnasium's
own `flatten`. Actions are mapped from the bounds that the set declares onto [-1, 1].

The hand sets of D4RL (`D4RL/door/human-v2` and its siblings for pen, relocate and hammer) are
mapped to the convention of N-PPAC: rewards are 1 on success and 0 elsewhere instead of dense, and
actions are clipped to [-1, 1], as the simulator did when they were recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from nppac_envs.demonstrations.config import ActionBound, DemonstrationsConfig, Say
from nppac_envs.demonstrations.dataset import PER_SET
from nppac_envs.demonstrations.episodes import Episode, read_episodes
from nppac_envs.demonstrations.field_map import FieldNames, named, names_in
from nppac_envs.demonstrations.file_guard import expanded, read_json_object, regular_file
from nppac_envs.demonstrations.findings import Finding, left_out_finding
from nppac_envs.demonstrations.first_download import check_first_download, keep_first_download
from nppac_envs.demonstrations.hdf5_file import check_hdf5
from nppac_envs.demonstrations.minari_server import default_root, fetch
from nppac_envs.demonstrations.minari_spaces import check_keys, flat, no_vector, width
from nppac_envs.errors import DataError

_HAND_SET = re.compile(r"D4RL/(door|pen|relocate|hammer)/[^/]+")


_SUCCESSES = ("success", "is_success")


@final
class MinariFields(FieldNames, frozen=True):
    """Which parts of a set are which."""

    states: str = ""
    """Keys of a dict observation, with commas between them; all if empty. They are put together in
    Gymnasium's order, as an environment's observation_keys are."""
    successes: str = ""
    """Key of infos with a flag a step; success or is_success if empty."""


@final
class MinariConfig(DemonstrationsConfig, frozen=True):
    """A Minari set with vector observations (or a dict of them) and Box actions.

    Successes come from `infos` where the set records them.
    """

    source: Literal["minari"] = "minari"
    """Kind of source."""
    id: str = Field(min_length=1)
    """Name of the set, e.g. D4RL/door/human-v2."""
    root: Path | None = None
    """Folder of Minari sets; null is MINARI_DATASETS_PATH or ~/.minari/datasets."""
    download: bool = False
    """Fetch the set from Minari's server if it is not there; what arrives is remembered beside it,
    and another set in its place is refused from then on."""
    state_entries: int | None = Field(default=None, ge=1)
    """Use the first n numbers of each observation; null uses all."""
    fields: MinariFields = named(MinariFields)

    @model_validator(mode="after")
    def _download_goes_to_the_default_root(self) -> Self:
        if self.download and self.root is not None:
            raise ValueError("download needs root: null; set MINARI_DATASETS_PATH instead")
        return self

    @field_validator("id")
    @classmethod
    def _stays_below_the_root(cls, name: str) -> str:
        path = PurePath(name)
        if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
            raise ValueError(f"{name!r} is no name of a set below root, such as door/human-v0")
        return name

    def require_files(self) -> None:
        """Look for the set, unless it is to be fetched."""
        if not self.download:
            _metadata_file(self._folder() / self.id / "data", self.where())

    def is_to_be_fetched(self) -> bool:
        """Whether it is not there, and loading it fetches it first."""
        return self.download and not (self._folder() / self.id / "data").exists()

    def _place(self) -> str:
        return str(self.id)

    def clips(self) -> bool:
        """True for the hand sets of D4RL, else as asked for."""
        return self.clip or _HAND_SET.fullmatch(self.id) is not None

    def mapped_range(self) -> tuple[ActionBound, ActionBound] | None:
        """`action_range`, or the bounds of the set's action space where they are not -1 and 1."""
        if self.action_range is not None:
            return self.action_range
        return _declared_bounds(self._metadata())

    def _told_dimensions(self) -> tuple[int, int] | None:
        spaces = (
            json.loads(self._metadata()[f"{name}_space"]) for name in ("observation", "action")
        )
        states, actions = (width(space, self._wants) for space in spaces)
        return min(states, self.state_entries or states), actions

    def _remarks(self, space: dict[str, Any]) -> Iterator[Finding]:
        """Declared bounds that are used, and entries of a dict observation that are left out."""
        bounds = self.mapped_range()
        if bounds is not None and self.action_range is None:
            yield Finding(
                "note",
                "declared range",
                f"the set declares actions from {_brief(bounds[0])} to {_brief(bounds[1])}; they "
                "are mapped onto [-1, 1]",
                ({"action_range": bounds},),
            )
        left_out = [key for key in space.get("subspaces", {}) if not self._wants(key)]
        if left_out:
            yield left_out_finding(left_out, [*names_in(self.fields.states), *left_out])

    def _wants(self, key: str) -> bool:
        return not self.fields.states or key in names_in(self.fields.states)

    def _metadata(self) -> dict[str, Any]:
        folder = self._folder() / self.id / "data"
        return read_json_object(folder / "metadata.json", self.where())

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        import minari

        folder = self._folder() / self.id / "data"
        try:
            fetched = self.is_to_be_fetched()
            if fetched:
                fetch(self.id, self._folder(), self.where())
            remembered = check_first_download(folder, self.where())
            _check_metadata(folder, self.where())
            check_hdf5(regular_file(folder / "main_data.hdf5", self.where()), self.where())
            dataset = minari.MinariDataset(folder)
            first = dataset.episode_indices[: self.n_episodes]
            data = list(dataset.iterate_episodes(first))
            if self.n_episodes is None:
                _check_totals(dataset, data, self.where())
            if self.download and not remembered:  # whole, whether or not these settings fit it
                kept = keep_first_download(folder)
                if kept and not fetched:
                    say(_remembered_late(folder))
            metadata = self._metadata()
            check_keys(metadata, names_in(self.fields.states), self.where())
            space = json.loads(metadata["observation_space"])
            for finding in self._remarks(space):
                say(finding)
            arrays = read_episodes(
                data,
                lambda episode, _: self._episode(episode, space),
                self.where(),
                self.exclude,
            )
            arrays |= _action_ranges(metadata)
            if "moved_successes" in metadata:
                moved = np.array(metadata["moved_successes"], np.bool_)
                arrays["moved_successes"] = moved[: self.n_episodes]
        except DataError:
            raise
        except Exception as error:
            raise DataError(
                f"{self.where()}: cannot read {folder} ({type(error).__name__}: "
                f"{' '.join(str(error).split())[:200]})"
            ) from error
        if _HAND_SET.fullmatch(self.id) and "successes" in arrays:
            arrays["rewards"] = arrays["successes"].astype(np.float32)
        return arrays

    def _episode(self, data: Any, space: dict[str, Any]) -> Episode:
        """Convert one `minari.EpisodeData`; rewards that are all NaN are unknown."""
        steps = len(data.actions)
        terminated = bool(np.asarray(data.terminations)[-1]) if steps else False
        rewards = None if np.isnan(data.rewards).all() else data.rewards
        states = flat(space, data.observations, self._wants)
        if self.state_entries is not None and states.shape[1] < self.state_entries:
            raise DataError(
                f"{self.where()}: state_entries is {self.state_entries}, but observations have "
                f"{states.shape[1]} numbers"
            )
        return Episode(
            states[:, : self.state_entries],
            data.actions,
            rewards,
            self._successes(data, steps),
            terminated,
        )

    def _successes(self, data: Any, steps: int) -> NDArray[Any] | None:
        """(T,) flags; one for the reset, if it is there, goes."""
        infos = data.infos or {}
        named = self.fields.successes
        found = [key for key in ([named] if named else _SUCCESSES) if key in infos]
        where = f"{self.where()}: episode {data.id}"
        if not found:
            if named:
                raise DataError(f"{where}: has no infos {named!r} (successes); {_listed(infos)}")
            return None
        flags = np.asarray(infos[found[0]])
        if flags.shape not in ((steps,), (steps + 1,)) or not np.isin(flags, (0, 1)).all():
            raise DataError(f"{where}: infos[{found[0]!r}] is no flag for each step")
        return flags[len(flags) - steps :].astype(np.bool_)

    def _folder(self) -> Path:
        return default_root() if self.root is None else expanded(self.root)


def _remembered_late(folder: Path) -> Finding:
    return Finding(
        "note",
        "first download",
        f"{folder} was there and nothing said what had arrived first; the set is held to its files "
        "as they are now",
    )


def _declared_bounds(metadata: dict[str, Any]) -> tuple[list[float], list[float]] | None:
    """The lowest and the highest action of a set's space; None where they are -1 and 1."""
    space = json.loads(metadata.get("action_space") or "{}")
    low, high = (np.asarray(space[bound], np.float64) for bound in ("low", "high"))
    if not np.isfinite([low, high]).all() or ((low == -1.0) & (high == 1.0)).all():
        return None
    return low.tolist(), high.tolist()


def _action_ranges(metadata: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """What -1 and 1 stand for, by the names of `Demonstrations`, where the set says so."""
    ranges = {"action_bounds": _declared_bounds(metadata)}
    ranges |= {name: metadata[name] for name in PER_SET if name in metadata}
    return {name: np.array(of, np.float64) for name, of in ranges.items() if of is not None}


def _metadata_file(folder: Path, where: str) -> Path:
    """Of the set in a folder, which is refused where it has none."""
    path = folder / "metadata.json"
    if not path.is_file():
        raise DataError(
            f"{where}: there is no Minari set at {folder.absolute()}",
            "check id and root, or fetch it with {download}",
            download=True,
        )
    return path


def _check_metadata(folder: Path, where: str) -> None:
    """Refuse a set without spaces: Minari would make the environment that the set names.

    Making it imports and runs whatever module its `env_spec` says, and a set is a stranger's file.
    """
    path = _metadata_file(folder, where)
    metadata = read_json_object(path, where)
    for name in ("observation_space", "action_space"):
        space = json.loads(metadata.get(name) or "{}")
        wrong = no_vector(space, name if name == "action_space" else "")
        if wrong is not None:
            raise DataError(
                f"{where}: its {name} must be a one-dimensional Box, or observations a dict of "
                f"such, and written in {path}; {wrong}"
            )
    if metadata.get("data_format") != "hdf5":
        raise DataError(f"{where}: is stored as {metadata.get('data_format')!r}, not as hdf5")
    episodes, largest = (
        metadata.get("total_episodes"),
        sum(f.stat().st_size for f in folder.iterdir()),
    )
    if not isinstance(episodes, int) or not 0 < episodes <= largest:
        raise DataError(f"{where}: {path.name} declares {episodes!r} episodes")


def _check_totals(dataset: Any, episodes: list[Any], where: str) -> None:
    """Refuse a set that was fetched or copied in part."""
    steps = sum(len(episode.actions) for episode in episodes)
    if (len(episodes), steps) != (dataset.total_episodes, dataset.total_steps):
        raise DataError(
            f"{where}: holds {len(episodes)} episodes and {steps} steps, but its metadata says "
            f"{dataset.total_episodes} and {dataset.total_steps}; fetch it again"
        )


def _listed(infos: Any) -> str:
    return f"there are {', '.join(map(repr, infos)) or 'none'}"


def _brief(bound: ActionBound) -> str:
    numbers = np.unique(np.atleast_1d(bound))
    return ", ".join(f"{number:.4g}" for number in numbers[:4]) + (
        ", ..." if len(numbers) > 4 else ""
    )
