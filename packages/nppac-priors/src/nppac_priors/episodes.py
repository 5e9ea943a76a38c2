"""Demonstrations as whole episodes: read from one npz file, split by trajectory.

States of one episode resemble each other, so what a prior is measured on has to come from episodes
that it was not fitted to.

The file, N steps in E episodes; other arrays in it, such as those that `nppac-envs` writes, are
left alone:

| array | shape | |
| --- | --- | --- |
| `states` | (N, S) numbers | the state each action was taken in |
| `actions` | (N, A) numbers | in [-1, 1] |
| `episode_lengths` | (E,) whole numbers | sum to N |
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nppac_priors.errors import DataError
from nppac_priors.user_files import existing_file, user_path

if TYPE_CHECKING:
    import torch

_NAMES = ("states", "actions", "episode_lengths")
_UNFOLDED = 64 * 2**20
_MAX_RATIO = 100
_WRITTEN = (
    "numpy.savez(path, states=..., actions=..., episode_lengths=...) writes one, and nppac-demos "
    "convert (of nppac-envs) from other files and names"
)


@dataclass(frozen=True, eq=False)
class Episodes:
    """Episodes laid end to end; checked when made.

    Attributes:
        states: (N, S) float32.
        actions: (N, A) float32, in [-1, 1].
        episode_lengths: (E,) int64, sums to N.

    Raises:
        DataError: Shapes that do not fit, numbers that are not finite, actions outside [-1, 1].
    """

    states: NDArray[np.float32]
    actions: NDArray[np.float32]
    episode_lengths: NDArray[np.int64]

    def __post_init__(self) -> None:
        from nppac_priors.data import demonstration_tensors
        from nppac_priors.held_out import checked_lengths

        states, actions = demonstration_tensors(self.states, self.actions)
        object.__setattr__(self, "states", states.numpy())
        object.__setattr__(self, "actions", actions.numpy())
        lengths = checked_lengths(self.episode_lengths, len(states))
        object.__setattr__(self, "episode_lengths", lengths.numpy())

    def __len__(self) -> int:
        """Number of steps N."""
        return len(self.states)

    @property
    def data_hash(self) -> str:
        """The hash that a prior fitted to all these steps, in this order, carries."""
        import torch

        from nppac_priors.data import hash_data

        return hash_data(torch.from_numpy(self.states), torch.from_numpy(self.actions))

    def take(self, indices: NDArray[np.integer]) -> Episodes:
        """The episodes of these indices, in this order."""
        ends = np.cumsum(self.episode_lengths).tolist()
        starts = [0, *ends]
        rows = np.concatenate([np.arange(starts[i], ends[i]) for i in indices.tolist()])
        return Episodes(self.states[rows], self.actions[rows], self.episode_lengths[indices])

    def hold_out(self, share: float, generator: torch.Generator) -> HeldOutSplit:
        """Leave whole episodes out of the fit.

        Args:
            share: Of the episodes, in (0, 1); at least one is held out and at least one fitted.
            generator: Draws them.

        Raises:
            DataError: There is only one episode, or the share is out of range.
        """
        from nppac_priors.held_out import hold_out_episodes

        total = len(self.episode_lengths)
        if not 0.0 < share < 1.0:
            raise DataError(f"share of held-out episodes: has to lie between 0 and 1, got {share}")
        if total < 2:
            raise DataError(
                "one episode only: holding out by trajectory needs two; record another, or split "
                "it yourself in episode_lengths"
            )
        chosen = hold_out_episodes(total, share, generator).numpy()
        held_out, fitted = np.flatnonzero(chosen), np.flatnonzero(~chosen)
        indices = tuple(held_out.tolist())
        return HeldOutSplit(self.take(fitted), self.take(held_out), indices, self.data_hash)


@dataclass(frozen=True, eq=False)
class HeldOutSplit:
    """Episodes to fit a prior to, and episodes to measure it on.

    Attributes:
        fitted: For the fit.
        held_out: Not seen by it.
        held_out_indices: Which episodes of the whole set these are, ascending.
        whole_hash: The hash that a prior fitted to the whole set carries.
    """

    fitted: Episodes
    held_out: Episodes
    held_out_indices: tuple[int, ...]
    whole_hash: str


def read_episodes(path: str | Path) -> Episodes:
    """Read an npz file: `states` (N, S), `actions` (N, A) in [-1, 1], `episode_lengths` (E,).

    Other arrays in it are left alone.

    Raises:
        DataError: No such file, no npz file, an array is missing, the arrays do not fit, or they
            take more than 64 MiB and more than 100 times the file.
    """
    arrays = read_arrays(path, _NAMES)
    try:
        return Episodes(**arrays)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def read_arrays(path: str | Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Arrays of numbers from an npz file, by name.

    Raises:
        DataError: No such file, no npz file, one of them is missing, or they take more than 64 MiB
            and more than 100 times the file.
    """
    if user_path(path).is_dir():
        raise DataError(f"{path}: is a folder, no npz file; {_WRITTEN}")
    path = existing_file(path, DataError)
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [name for name in names if f"{name}.npy" not in archive.namelist()]
            if missing:
                hint = "; one episode is [N]" if missing[0] == "episode_lengths" else ""
                there = ", ".join(name.removesuffix(".npy") for name in archive.namelist()[:12])
                raise DataError(
                    f"{path}: has no array {missing[0]!r}{hint}; it has {there or 'none'}; "
                    + _WRITTEN
                )
            members = [archive.getinfo(f"{name}.npy") for name in names]
            largest = max(_UNFOLDED, _MAX_RATIO * path.stat().st_size)
            if sum(member.file_size for member in members) > largest:
                raise DataError(f"{path}: its numbers take over {_MAX_RATIO} times the file")
            return {
                name: _read_array(archive.read(m)) for name, m in zip(names, members, strict=True)
            }
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path}: not a readable npz file ({type(error).__name__}); {_WRITTEN}"
        ) from error


def _read_array(raw: bytes) -> NDArray[Any]:
    """The array of an npy file; NumPy's own reader allocates what the header declares."""
    file = io.BytesIO(raw)
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
    shape, fortran, dtype = read(file)
    if dtype.kind not in "biuf":
        raise ValueError(f"holds {dtype}, not numbers")
    return np.frombuffer(file.read(), dtype).reshape(shape, order="F" if fortran else "C")
