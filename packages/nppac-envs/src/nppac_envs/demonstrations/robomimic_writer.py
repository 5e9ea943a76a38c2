"""Writing demonstrations as an HDF5 file in robomimic's layout, for any tool that reads one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.writing import complete_file


def write_robomimic(demonstrations: Demonstrations, path: Path) -> None:
    """Write a file that `RobomimicConfig(path=path)` reads as the same set.

    The state is `obs/state` (T, S), the one after each step `next_obs/state`; `dones` mark the last
    step of an episode. `successes`, `terminals`, a demonstration's attribute `success_moved`, and
    the file's `action_bounds` and `source_range` are of this project.

    Args:
        demonstrations: What to write.
        path: The file; one that is there is replaced.

    Raises:
        DataError: It cannot be written.
    """
    import h5py

    with complete_file(path) as temporary, h5py.File(temporary, "w") as file:
        data: Any = file.create_group("data")
        data.attrs["total"] = len(demonstrations)
        for name, ends in demonstrations.ranges().items():
            file[name] = ends
        rows = demonstrations.transitions()
        ends = np.cumsum(demonstrations.episode_lengths)
        for number, (start, end) in enumerate(
            zip(ends - demonstrations.episode_lengths, ends, strict=True)
        ):
            demo = data.create_group(f"demo_{number}")
            demo.attrs["num_samples"] = int(end - start)
            if demonstrations.moved_successes is not None:
                demo.attrs["success_moved"] = demonstrations.moved_successes[number]
            for name, column in _columns(demonstrations, rows).items():
                demo.create_dataset(name, data=column[start:end], compression="gzip")


def _columns(
    demonstrations: Demonstrations, rows: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """What a demonstration holds, by its path in it, (N, ...) over all of them."""
    names = {"obs/state": "states", "next_obs/state": "next_states", "actions": "actions"}
    names |= {"rewards": "rewards", "successes": "successes", "dones": "episode_ends"}
    if demonstrations.terminations is not None:
        names["terminals"] = "terminals"
    return {path: rows[name] for path, name in names.items() if name in rows}
