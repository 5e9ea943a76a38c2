"""Successes of steps that are used up as final states: kept, remembered, denied with grounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_envs import (
    Demonstrations,
    GymnasiumConfig,
    LerobotConfig,
    MinariConfig,
    NpzConfig,
    RobomimicConfig,
)
from nppac_envs.cli import main
from nppac_envs.demonstrations.doctor import examine
from nppac_envs.demonstrations.lerobot_writer import write_lerobot
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.operations import concatenate
from nppac_envs.demonstrations.policies import find_policy
from nppac_envs.demonstrations.recording import record
from nppac_envs.demonstrations.repairs import cut, joined
from nppac_envs.demonstrations.resimulation import simulated_successes
from nppac_envs.demonstrations.robomimic_writer import write_robomimic

OPEN, SHUT = 1.4, 0.2


def door_log(angles: list[list[float]], successes: list[list[int]]) -> dict[str, Any]:
    """Rows of door's size, whose last one of each episode has no state after it."""
    rng = np.random.default_rng(0)
    flat = np.concatenate(angles)
    states = rng.normal(size=(len(flat), 39)).astype(np.float32)
    states[:, 28] = flat
    return {
        "states": states,
        "actions": rng.uniform(-0.9, 0.9, (len(flat), 28)),
        "episode_lengths": np.array([len(of) for of in angles]),
        "successes": np.concatenate(successes).astype(bool),
    }


def loaded(folder: Path, arrays: dict[str, Any]) -> Demonstrations:
    np.savez(folder / "log.npz", **arrays)
    return NpzConfig(path=folder / "log.npz").load()


@pytest.fixture
def first_success_ends(tmp_path: Path) -> Demonstrations:
    """Two episodes that a recorder ended with their first success, and one that failed."""
    shut = [SHUT] * 4
    flags = [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    return loaded(tmp_path, door_log([shut, shut, shut], flags))


def of_episodes(demonstrations: Demonstrations) -> list[list[bool]]:
    assert demonstrations.successes is not None
    ends = np.cumsum(demonstrations.episode_lengths)[:-1]
    return [of.tolist() for of in np.split(demonstrations.successes, ends)]


LAST, NONE = [False, False, True], [False, False, False]


def test_a_judge_that_cannot_see_the_success_leaves_it(first_success_ends):
    assert of_episodes(first_success_ends) == [LAST, LAST, NONE]
    assert first_success_ends.moved_successes.tolist() == [True, True, False]
    judged = first_success_ends.judged("door")
    assert of_episodes(judged) == [LAST, LAST, NONE]
    assert of_episodes(judged.judged("door")) == [LAST, LAST, NONE]
    assert of_episodes(first_success_ends.select([2, 1]).judged("door")) == [NONE, LAST]


def test_a_judge_that_denies_another_success_of_the_episode_is_believed(tmp_path: Path):
    """The record calls a shut door a success: what it says of the last step counts for nothing."""
    angles = [[SHUT] * 5, [SHUT, SHUT, OPEN, SHUT, SHUT]]
    log = loaded(tmp_path, door_log(angles, [[0, 1, 0, 0, 1], [0, 1, 0, 0, 1]]))
    judged = log.judged("door")
    assert of_episodes(judged) == [[False] * 4, [False, True, False, True]]
    assert judged.moved_successes is not None
    assert judged.moved_successes.tolist() == [False, True]


def test_a_success_that_the_step_before_has_too_is_the_judges_to_deny(tmp_path: Path):
    log = loaded(tmp_path, door_log([[SHUT] * 4], [[0, 0, 1, 1]]))
    assert log.moved_successes is None
    assert of_episodes(log.judged("door")) == [NONE]


def test_it_is_no_part_of_the_hash(first_success_ends):
    assert first_success_ends.hash == replace(first_success_ends, moved_successes=None).hash


def test_the_doctor_finds_no_contradiction_in_it(first_success_ends, tmp_path: Path):
    topics = {f.topic for f in examine(NpzConfig(path=tmp_path / "log.npz"), "door")}
    assert "failed episodes" in topics
    assert "success rule" not in topics


@pytest.mark.parametrize("layout", ["npz", "hdf5", "minari", "lerobot"])
def test_every_format_remembers_it(first_success_ends, tmp_path: Path, layout: str):
    path = tmp_path / "set"
    if layout == "npz":
        first_success_ends.save_npz(path)
        read = NpzConfig(path=path).load()
    elif layout == "hdf5":
        write_robomimic(first_success_ends, path)
        read = RobomimicConfig(path=path).load()
    elif layout == "minari":
        pytest.importorskip("minari")
        write_minari(first_success_ends, "door/mine-v0", path)
        config = MinariConfig(id="door/mine-v0", root=path)
        read = config.load()
        assert of_episodes(config.model_copy(update={"n_episodes": 2}).load()) == [LAST, LAST]
    else:
        pytest.importorskip("pyarrow")
        write_lerobot(first_success_ends, path)
        read = LerobotConfig(path=path).load()
    assert read.hash == replace(first_success_ends, source=read.source).hash
    assert of_episodes(read.judged("door")) == [LAST, LAST, NONE]


def test_robomimic_files_without_next_observations_have_it(tmp_path: Path):
    import h5py

    with h5py.File(tmp_path / "log.hdf5", "w") as file:
        demo = file.create_group("data/demo_0")
        demo["obs/state"], demo["actions"] = np.full((4, 39), SHUT), np.zeros((4, 28))
        demo["successes"] = np.array([0, 0, 0, 1])
    log = RobomimicConfig(path=tmp_path / "log.hdf5").load()
    assert of_episodes(log.judged("door")) == [LAST]


def test_repairs_keep_what_is_still_true_of_the_ends(first_success_ends):
    parts = cut(first_success_ends, [(0, 1), (1, 2)])
    assert parts.moved_successes is not None
    assert parts.moved_successes.tolist() == [False, True, False, False]
    whole = joined(first_success_ends, [1])
    assert whole.moved_successes is not None
    assert whole.moved_successes.tolist() == [True, False]
    # In the middle the judge sees the state that followed, and denies it; so the last one goes.
    assert not np.any(whole.judged("door").successes)


def test_sets_together_keep_it_beside_sets_without(first_success_ends):
    sound = replace(first_success_ends, moved_successes=None)
    together = concatenate([sound, first_success_ends])
    assert together.moved_successes is not None
    assert together.moved_successes.tolist() == [False] * 3 + [True, True, False]


def test_the_command_keeps_it(first_success_ends, tmp_path: Path, capsys):
    log, output = str(tmp_path / "log.npz"), str(tmp_path / "judged.npz")
    judge = ["--judge", "door", "--only-successful"]
    assert main(["convert", log, *judge, "--output", output]) == 0
    assert "2 of 2 episodes succeed" in capsys.readouterr().out


def test_a_simulation_that_is_not_played_so_far_leaves_it(lab_arm, tmp_path: Path):
    """The arm succeeds in its third step, and the log ends with it: its action is not there."""
    config = GymnasiumConfig(id="lab_arm:LabArm-v0")
    recorded, _ = record(config, find_policy("uniform", 2, 0), 2)
    arrays = recorded.arrays()
    rows = np.arange(len(recorded)) % 7 < 3
    log = {name: arrays[name][rows] for name in ("states", "actions", "successes")}
    bounds = arrays["action_bounds"]
    log |= {"episode_lengths": np.array([3, 3]), "action_bounds": bounds}
    ended = loaded(tmp_path, log)
    assert of_episodes(ended) == [[False, True]] * 2
    judged, by_seed = simulated_successes(ended, config)
    assert by_seed
    assert of_episodes(judged) == [[False, True]] * 2
    unremembered, _ = simulated_successes(replace(ended, moved_successes=None), config)
    assert of_episodes(unremembered) == [[False, False]] * 2
