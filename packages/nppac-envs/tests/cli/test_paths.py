"""Commands take `~` in every path, also after an equals sign, where no shell expands it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def furnished_home(home: Path, demonstrations) -> Path:
    """A set and a policy are there."""
    demonstrations.save_npz("~/set.npz")
    (home / "act.py").write_text("def act(state): return [0.0] * 28\n")
    return home


def test_outputs_and_policies_below_home(nppac_demos, furnished_home: Path):
    for argv in (
        ["convert", "~/set.npz", "--output=~/a.npz"],
        ["convert", "~/set.npz", "--test-episodes=0", "--test-output=~/b.h5", "--output=~/c.h5"],
        ["convert", "~/set.npz", "--output=~/sets", "--minari=arm/mine-v0"],
        ["inspect", "arm/mine-v0", "--root=~/sets"],
        ["record", "--task=door", "--set=horizon=2", "--policy=~/act.py:act", "--episodes=1",
         "--output=~/d.npz"],
    ):  # fmt: skip
        result = nppac_demos(*argv)
        assert result.code == 0, result.err
    assert {path.name for path in furnished_home.iterdir()} >= {
        "a.npz",
        "b.h5",
        "c.h5",
        "sets",
        "d.npz",
    }


def test_a_policy_that_is_not_there_is_told_with_the_folder(nppac_demos, tmp_path: Path):
    argv = ["--task=door", "--policy=none.py:act", "--output=d.npz"]
    result = nppac_demos("record", *argv)
    assert (result.code, len(result.err)) == (2, 1)
    assert f"none.py: no such file in {tmp_path}" in result.err[0]
