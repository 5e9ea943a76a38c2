from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nppac_envs import ConfigError, D4rlConfig, DataError, RobomimicConfig
from nppac_envs.demonstrations.locations import locate
from nppac_envs.demonstrations.robomimic import RobomimicFields
from nppac_envs.errors import EpisodesError


def demo(start: float, steps: int = 3) -> dict[str, np.ndarray]:
    """Observations count up from `start`; an image is there too."""
    counted = start + np.arange(steps + 1.0)[:, None]
    parts = {"object": -counted, "eef": np.hstack([counted, 10 * counted])}
    arrays: dict[str, np.ndarray] = {
        "actions": np.full((steps, 2), 0.5),
        "rewards": (np.arange(steps) == steps - 1) * 1.0,
        "dones": np.arange(steps) == steps - 1,
        "states": np.zeros((steps, 7)),
        "obs/view": np.zeros((steps, 4, 4, 3), np.uint8),
    }
    for name, values in parts.items():
        arrays[f"obs/{name}"], arrays[f"next_obs/{name}"] = values[:-1], values[1:]
    return arrays


def write(folder: Path, demos: dict[str, dict[str, Any]], **masks: list[bytes]) -> Path:
    with h5py.File(folder / "set.hdf5", "w") as file:
        for name, arrays in demos.items():
            for path, array in arrays.items():
                file[f"data/{name}/{path}"] = array
        for name, members in masks.items():
            file[f"mask/{name}"] = np.array(members)
    return folder / "set.hdf5"


def without(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {path: array for path, array in arrays.items() if not path.startswith(prefix)}


def test_vectors_of_obs_are_the_state(tmp_path: Path):
    """Side by side in the order of their names; the state after the last action is in next_obs."""
    path = write(tmp_path, {f"demo_{i}": demo(100.0 * i) for i in (0, 2, 10)})
    loaded = RobomimicConfig(path=path).load()
    assert loaded.states[:4].tolist() == [[0, 0, 0], [1, 10, -1], [2, 20, -2], [200, 2000, -200]]
    assert loaded.final_states[:, 0].tolist() == [3, 203, 1003], "demo_2 comes before demo_10"
    assert loaded.rewards.tolist() == [0, 0, 1] * 3
    assert loaded.terminations is None


def test_named_keys_in_the_order_given(tmp_path: Path):
    path = write(tmp_path, {"demo_0": demo(5.0)})
    fields = RobomimicFields(states="object,eef")
    loaded = RobomimicConfig(path=path, fields=fields).load()
    assert loaded.states[0].tolist() == [-5, 5, 50]
    assert locate(str(path), fields={"states": "object,eef"}).load().hash == loaded.hash
    (remark,) = RobomimicConfig(path=path, fields=RobomimicFields(states="eef")).remarks()
    assert remark.text.endswith("obs/object, obs/view")


def test_masks_choose_demonstrations(tmp_path: Path):
    demos = {f"demo_{i}": demo(100.0 * i) for i in range(3)}
    path = write(tmp_path, demos, train=[b"demo_2", b"demo_0"], odd=[b"demo_7"])
    loaded = locate(str(path), mask="train").load()
    assert loaded.states[:, 0].tolist() == [0, 1, 2, 200, 201, 202]
    with pytest.raises(DataError, match="no mask 'test'; there are 'odd', 'train'"):
        RobomimicConfig(path=path, mask="test").load()
    with pytest.raises(DataError, match="mask 'odd' names no demonstrations"):
        RobomimicConfig(path=path, mask="odd").load()
    with pytest.raises(ConfigError, match="mask"):
        locate("mine.npz", mask="train")


def test_without_next_obs_the_last_action_goes(tmp_path: Path):
    loaded = RobomimicConfig(
        path=write(tmp_path, {"demo_0": without("next_obs", demo(0.0))})
    ).load()
    assert loaded.states[:, 0].tolist() == [0, 1]
    assert loaded.final_states[:, 0].tolist() == [2]
    assert loaded.rewards.tolist() == [0, 0]


def test_other_groups_and_paths(tmp_path: Path):
    """Any file with a group for each episode, by its field map."""
    with h5py.File(tmp_path / "log.h5", "w") as file:
        for run in ("run1", "run2"):
            file[f"trials/{run}/q"] = np.arange(4.0)
            file[f"trials/{run}/cmd/u"] = np.full((4, 1), 0.25)
            file[f"trials/{run}/ok"] = np.arange(4) == 2
    fields = {"episodes": "trials", "states": "q", "actions": "cmd/u", "successes": "ok"}
    loaded = RobomimicConfig.model_validate({"path": tmp_path / "log.h5", "fields": fields}).load()
    assert loaded.states.tolist() == [[0], [1], [2]] * 2
    assert loaded.successes.tolist() == [False, False, True] * 2
    assert loaded.final_states.tolist() == [[3], [3]]


def test_a_success_of_the_step_that_is_used_up_stays(tmp_path: Path):
    ended = without("next_obs", demo(0.0)) | {"successes": np.arange(3) == 2}
    path = write(tmp_path, {"demo_0": ended, "demo_1": ended | {"successes": np.zeros(3, bool)}})
    assert RobomimicConfig(path=path).load().successes.tolist() == [False, True, False, False]


@pytest.mark.parametrize("parent", ["trials", "/"])
def test_groups_of_episodes_elsewhere_are_pointed_to_and_read(tmp_path: Path, parent: str):
    path = tmp_path / "log.h5"
    with h5py.File(path, "w") as file:
        for run in ("run1", "run2"):
            file[f"{parent}/{run}/q"] = np.arange(4.0)
            file[f"{parent}/{run}/u"] = np.full((4, 1), 0.25)
    with pytest.raises(DataError, match="'observations'") as caught:
        locate(str(path)).load()
    assert caught.value.in_options().endswith(
        f"--source robomimic --map episodes={parent} states=NAME,NAME actions=NAME"
    )
    fields = {"episodes": parent, "states": "q", "actions": "u"}
    assert locate(str(path), fields=fields).load().n_episodes == 2


def test_groups_that_differ_are_no_episodes(tmp_path: Path):
    with h5py.File(tmp_path / "log.h5", "w") as file:
        file["robot/arm/q"] = file["robot/hand/u"] = np.zeros(4)
    with pytest.raises(DataError, match="name the one that is meant") as caught:
        locate(str(tmp_path / "log.h5")).load()
    assert "episodes=" not in caught.value.in_options()


def test_states_of_a_simulator_are_not_taken_for_observations(tmp_path: Path):
    """robosuite's demo.hdf5 has the simulator's states and no observations."""
    arrays = without("obs", without("next_obs", demo(0.0)))
    path = write(tmp_path, {"demo_0": arrays})
    with pytest.raises(DataError, match=r"no vectors in 'obs'; it has .*states \(3, 7\)"):
        RobomimicConfig(path=path).load()
    assert RobomimicConfig(path=path, fields=RobomimicFields(states="states")).load().state_dim == 7


def test_episodes_that_name_other_observations_are_not_read_as_one_state(tmp_path: Path):
    renamed = demo(100.0)
    for group in ("obs", "next_obs"):
        renamed[f"{group}/tool"] = renamed.pop(f"{group}/eef")
    path = write(tmp_path, {"demo_0": demo(0.0), "demo_1": demo(10.0), "demo_2": renamed})
    with pytest.raises(EpisodesError, match=r"demo_2: its observations are .*tool"):
        RobomimicConfig(path=path).load()
    assert len(RobomimicConfig(path=path, exclude=(2,)).load().episode_lengths) == 2
    alike = RobomimicConfig(path=path, fields=RobomimicFields(states="object")).load()
    assert len(alike.episode_lengths) == 3


def test_one_bad_demonstration_does_not_cost_the_set(tmp_path: Path):
    demos = {f"demo_{i}": demo(100.0 * i) for i in range(4)}
    demos["demo_1"] = without("actions", demos["demo_1"])
    demos["demo_2"] = demo(0.0) | {"actions": np.full((3, 5), 0.5)}
    path = write(tmp_path, demos)
    with pytest.raises(EpisodesError, match=r"demo_1: must have .*'actions'") as caught:
        RobomimicConfig(path=path).load()
    assert caught.value.in_options().endswith("--exclude 1,2")
    loaded = RobomimicConfig(path=path, exclude=(1, 2)).load()
    assert loaded.states[:, 0].tolist() == [0, 1, 2, 300, 301, 302]


def test_the_other_layout_is_refused_with_what_is_there(tmp_path: Path):
    path = write(tmp_path, {"demo_0": demo(0.0)})
    with pytest.raises(DataError, match=r"'observations' \(states\); it has data/demo_0/actions"):
        D4rlConfig(path=path).load()
    with h5py.File(tmp_path / "flat.hdf5", "w") as file:
        file["observations"] = np.zeros((3, 2))
    with pytest.raises(DataError, match=r"no group 'data' .* it has observations \(3, 2\)"):
        RobomimicConfig(path=tmp_path / "flat.hdf5").load()
    with pytest.raises(DataError, match="no such file"):
        RobomimicConfig(path=tmp_path / "none.hdf5").load()


def test_which_layout_is_found_out(tmp_path: Path):
    path = write(tmp_path, {"demo_0": demo(0.0)})
    assert locate(str(path)).source == "robomimic"
    with h5py.File(tmp_path / "flat.h5", "w") as file:
        file["data"] = np.zeros(3)
    assert locate(str(tmp_path / "flat.h5")).source == "d4rl"
    (tmp_path / "broken.hdf5").write_bytes(io.BytesIO(path.read_bytes()).read(100))
    assert locate(str(tmp_path / "broken.hdf5")).source == "d4rl"
