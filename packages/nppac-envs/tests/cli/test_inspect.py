from __future__ import annotations

import json

import numpy as np
import pytest


def test_the_shipped_set(nppac_demos):
    result = nppac_demos("inspect", "door")
    assert result.code == 0
    assert result.err == []
    for words in ("25 episodes, 5,000 steps", "39 and 28 dimensions", "25 of 25 episodes succeed"):
        assert words in result.out
    assert "state 38" in result.out
    assert "action 27" in result.out


def test_tables_hold_hand_computed_numbers(nppac_demos, make_arrays, tmp_path):
    arrays = make_arrays(lengths=(3, 2))
    arrays["rewards"] = np.array([0.5, 1, 1.5, -1, -2])
    arrays["successes"] = np.array([0, 1, 1, 0, 0], bool)
    arrays["actions"] = np.array([[1, 0], [0, 0], [0, 0], [-1, 0.9991], [0, 0.5]])
    np.savez(tmp_path / "set.npz", **arrays)
    lines = nppac_demos("inspect", "set.npz").out.splitlines()
    assert "1 of 2 episodes succeed; not in episode 1" in "\n".join(lines)
    rows = [line.split() for line in lines]
    assert ["0", "3", "3", "yes", "2", "16.7%"] in rows
    assert ["1", "2", "-3", "no", "-", "50.0%"] in rows
    assert ["state", "0", "0", "2", "4", "1.414"] in rows


def test_json(nppac_demos, make_arrays, tmp_path):
    arrays = {n: a for n, a in make_arrays().items() if n not in ("rewards", "successes")}
    np.savez(tmp_path / "set.npz", **arrays)
    content = json.loads(nppac_demos("inspect", "set.npz", "--json").out)
    assert content["steps"] == 8
    assert [row["steps"] for row in content["episode"]] == [3, 1, 4]
    assert content["episode"][0]["success"] is None


def test_judging(nppac_demos):
    assert nppac_demos("inspect", "door", "--judge", "door").code == 0
    result = nppac_demos("inspect", "door", "--judge", "pen")
    assert (result.code, len(result.err)) == (2, 1)


def test_the_human_sets(nppac_demos, data):
    for name, solved in (("door", 7), ("pen", 17)):
        result = nppac_demos("inspect", f"{name}/human-v0", "--root", data / "minari")
        assert f"{solved} of 25 episodes succeed" in result.out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["none.npz"], "none.npz: no such file"),
        (["no/such-v0", "--root", "."], "there is no Minari set"),
        (["door", "--map", "states"], "has to read OURS=THEIRS"),
        (["door", "--exclude", "a"], "has to read N or N,N"),
        (["door", "--exclude", "25"], "exclude must name some of the episodes 0 to 24"),
        (["door", "--action-range", "1", "x"], "has to be numbers"),
        (["door", "--action-range", "1", "-1"], "lowest first"),
        (["door", "--hash", "0" * 64], "another set than expected"),
        (["door", "--n-episodes", "26"], "n_episodes is 26, but there are 25"),
        (["door", "--source", "zip"], "invalid choice"),
        ([], "required"),
    ],
)
def test_mistakes_are_one_line_and_code_2(nppac_demos, argv: list[str], words: str):
    result = nppac_demos("inspect", *argv)
    assert result.code == 2
    assert len(result.err) == 1
    assert result.err[0].startswith("error: ")
    assert words in result.err[0]


def test_fields_ranges_and_exclusion(nppac_demos, tmp_path):
    lines = ["run,obs0,obs1,act"] + [f"{e},{e},{t},{30 * t}" for e in range(3) for t in range(4)]
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    argv = ["mine.csv", "--map", "states=obs", "actions=act", "episodes=run"]
    assert "outside [-1, 1]" in nppac_demos("inspect", *argv).err[0]
    result = nppac_demos("inspect", *argv, "--action-range", "-90", "90", "--exclude", "1")
    assert "2 episodes, 6 steps" in result.out
    assert "4 of 6 action entries" in result.out, "0 stays 0"
    assert "mapped from    (-90) and (90)" in result.out
    nppac_demos("convert", *argv, "--action-range", "-90", "90", "--output", "set.npz")
    assert "mapped from    (-90) and (90)" in nppac_demos("inspect", "set.npz").out
    assert "(-90) and (90)" in nppac_demos("doctor", "set.npz").out
