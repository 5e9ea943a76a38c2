from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nppac_envs import Demonstrations, MinariConfig, NpzConfig
from nppac_envs.demonstrations.locations import locate


@pytest.fixture
def file(make_arrays, tmp_path: Path) -> Path:
    """Three episodes of 3, 1 and 4 steps, of which the first and the last succeed."""
    flags = np.array([0, 1, 0, 0, 0, 0, 0, 1], bool)
    np.savez(tmp_path / "set.npz", **make_arrays() | {"successes": flags})
    return tmp_path / "set.npz"


def test_only_successful_ones_with_rewards_from_success(nppac_demos, file: Path):
    result = nppac_demos(
        "convert", "set.npz", "--only-successful", "--rewards", "binary", "--output", "out.npz"
    )
    assert result.code == 0, result.err
    assert "2 episodes, 7 steps" in result.out
    loaded = NpzConfig(path="out.npz").load()
    assert loaded.rewards.tolist() == [-1, 0, -1, -1, -1, -1, 0]


def test_concatenation_and_a_split(nppac_demos, file: Path):
    argv = ["set.npz", "set.npz", "--test-episodes", "1,4", "--test-output", "test.npz"]
    assert nppac_demos("convert", *argv, "--output", "train.npz").code == 0
    whole = NpzConfig(path=file).load()
    assert NpzConfig(path="test.npz").load().hash == whole.select([1, 1]).hash
    assert NpzConfig(path="train.npz").load().hash == whole.select([0, 2, 0, 2]).hash


def test_a_sample(nppac_demos, file: Path):
    for seed in (0, 1):
        argv = ["set.npz", "--sample", 2, "--seed", seed, "--output", f"{seed}.npz"]
        assert "2 episodes" in nppac_demos("convert", *argv).out


def test_minari_out_and_in(nppac_demos, file: Path, tmp_path: Path):
    result = nppac_demos("convert", "set.npz", "--output", "sets", "--minari", "door/mine-v0")
    assert result.code == 0, result.err
    loaded = MinariConfig(id="door/mine-v0", root=tmp_path / "sets").load()
    assert loaded.hash == NpzConfig(path=file).load().hash


@pytest.mark.parametrize("output", ["out.hdf5", "out.h5", "robot"])
def test_hdf5_and_lerobot_out_and_in_by_the_name(nppac_demos, make_arrays, output):
    """All that a set can hold comes back the same, told by what it is."""
    more = {"terminations": [True, False, False], "action_bounds": [[-3.0, 0.0], [5.0, 2.0]]}
    whole = Demonstrations(**make_arrays() | more)
    whole.save_npz("set.npz")
    result = nppac_demos("convert", "set.npz", "--output", output)
    assert result.code == 0, result.err
    assert locate(output).load().hash == whole.hash
    assert whole.hash in nppac_demos("inspect", output).out


def test_the_door_pickle_becomes_the_papers_set(nppac_demos, data: Path):
    """Judged and relabelled, the dense DAPG pickle is what N-PPAC was trained on."""
    raw = data / "raw" / "door-v0_demos.pickle"
    argv = [raw, "--judge", "door", "--rewards", "zero-one", "--output", "door.npz"]
    result = nppac_demos("convert", *argv)
    assert "10,562 of 187,712 action entries" in result.out
    human = MinariConfig(id="door/human-v0", root=data / "minari").load()
    loaded = NpzConfig(path="door.npz").load()
    np.testing.assert_array_equal(loaded.rewards, human.rewards)
    np.testing.assert_array_equal(loaded.successes, human.successes)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["set.npz", "--output", "out.csv"], "must end in .npz"),
        (["set.npz", "--output", "out.h5", "--fps", "5"], "--fps is for LeRobot"),
        (["set.npz", "--output", "robot", "--fps", "0"], "fps must be 1 or more"),
        (["set.npz", "--output", "no/out.npz"], "cannot be written"),
        (["set.npz", "--output", "sets", "--minari", "mine"], "no name of a Minari set"),
        (["set.npz", "--test-episodes", "1", "--output", "x.npz"], "go together"),
        (["set.npz", "door", "--output", "x.npz"], "only sets of one task"),
        (["set.npz", "--cut", "3", "--output", "x.npz"], "'3' has to read E:S"),
        (["set.npz", "--cut", "0:9", "--output", "x.npz"], "there is no step 9 in episode 0"),
        (["set.npz", "--join", "0", "--output", "x.npz"], "must be between 1 and 2"),
        (["set.npz", "--sample", "4", "--output", "x.npz"], "cannot draw 4"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(nppac_demos, file, tmp_path, argv, words):
    result = nppac_demos("convert", *argv)
    assert (result.code, len(result.err)) == (2, 1)
    assert words in result.err[0]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["set.npz"]


def test_success_that_nobody_recorded(nppac_demos, make_arrays, tmp_path: Path):
    arrays = {n: a for n, a in make_arrays().items() if n not in ("rewards", "successes")}
    Demonstrations(**arrays).save_npz(tmp_path / "set.npz")
    for option in (["--only-successful"], ["--rewards", "binary"], ["--judge", "door"]):
        result = nppac_demos("convert", "set.npz", *option, "--output", "x.npz")
        assert (result.code, len(result.err)) == (2, 1)
