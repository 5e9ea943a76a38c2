from __future__ import annotations

import json

import pytest
from nppac_envs import NpzConfig

pytestmark = pytest.mark.medium


def test_record_then_replay_then_doctor(nppac_demos):
    argv = ["--task", "door", "--set", "horizon=5", "--policy", "uniform", "--episodes", 2]
    result = nppac_demos("record", *argv, "--first-seed", 3, "--output", "new.npz")
    assert result.code == 0, result.err
    assert "2 of 2 episodes played" in result.out
    recorded = NpzConfig(path="new.npz").load()
    assert recorded.episode_lengths.tolist() == [5, 5]
    result = nppac_demos("replay", "new.npz", "--task", "door")
    assert "success: 0 recorded, 0 simulated, the same in 2 of 2 episodes" in result.out
    (row,) = json.loads(
        nppac_demos("replay", "new.npz", "--task", "door", "--episodes", 1, "--json").out
    )
    assert row["episode"] == 1
    assert row["largest"] < 1e-3
    result = nppac_demos("doctor", "new.npz", "--task", "door", "--replay")
    assert result.code == 0
    assert "replay" not in result.out


def test_a_function_of_ones_own(nppac_demos, tmp_path):
    (tmp_path / "mine.py").write_text("def act(state):\n    return [0.1] * 28\n")
    argv = ["--task", "door", "--set", "horizon=2", "--episodes", 1, "--output", "new.npz"]
    assert nppac_demos("record", *argv, "--policy", "mine.py:act").code == 0
    assert NpzConfig(path="new.npz").load().actions[1, 5] == pytest.approx(0.1)


def test_a_plot(nppac_demos, tmp_path):
    pytest.importorskip("matplotlib")
    assert nppac_demos("plot", "door", "--n-episodes", 2, "--output", "door.png").code == 0
    assert (tmp_path / "door.png").exists()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["record", "--task", "door", "--policy", "x", "--output", "a.npz"], "'x' is unknown"),
        (["record", "--task", "door", "--policy", "uniform", "--output", "a.csv"], ".npz"),
        (["record", "--task", "dor", "--policy", "uniform", "--output", "a.npz"], "'dor'"),
        (["replay", "door"], "required: --task"),
        (["replay", "door", "--task", "door", "--episodes", "25"], "between 0 and 24"),
        (["replay", "door", "--task", "pen", "--episodes", "0"], "39 dimensions, and 'pen' has 45"),
        (["replay", "door", "--task", "door", "--set", "horizon=x"], "horizon"),
        (["video", "door", "--task", "door", "--output", "a.avi"], ".gif or .mp4"),
        (["plot", "door", "--output", "a.bmp"], ".png"),
        (["doctor", "door", "--replay"], "--replay needs --task"),
    ],
)
def test_mistakes_are_one_line_and_code_2(nppac_demos, argv: list[str], words: str):
    result = nppac_demos(*argv)
    assert (result.code, len(result.err)) == (2, 1)
    assert words in result.err[0]


@pytest.mark.parametrize(
    ("task", "pointed"), [("Pendulum-v1", True), ("my_lab:Arm", True), ("dor", False)]
)
def test_what_may_be_gymnasiums_is_pointed_to_its_kind(nppac_demos, task, pointed):
    result = nppac_demos("replay", "door", "--task", task)
    assert result.code == 2
    (line,) = result.err
    assert line.startswith(f"error: environment {task!r} is unknown; there are 'ant', ")
    hint = f"; if it is Gymnasium's, write --task gymnasium --set id={task}"
    assert line.endswith(hint) == pointed
