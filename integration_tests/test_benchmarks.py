"""The benchmark of updates runs, at sizes that say nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

UPDATE = Path(__file__).parents[1] / "benchmarks" / "update.py"


@pytest.mark.slow
def test_updates_are_timed_in_turns_and_peers_that_are_not_installed_left_out(tmp_path):
    found = tmp_path / "found.json"
    names = ["nppac-paper", "nppac-residual", "tianshou-sac"]
    subprocess.run(
        [
            *(sys.executable, UPDATE, "--tiny", "--blocks", "2", "--updates", "2"),
            *("--json", found, "--only", *names, "sb3-sac", "sbx-sac"),
        ],
        check=True,
    )
    rows = {row["learner"]: row for row in json.loads(found.read_text())}
    assert set(names) <= rows.keys() <= {*names, "sb3-sac", "sbx-sac"}
    for name in names:
        assert rows[name]["ms"] > 0
    assert rows["nppac-paper"]["over"]["tianshou-sac"] == pytest.approx(
        rows["nppac-paper"]["ms"] / rows["tianshou-sac"]["ms"], rel=0.9
    )
    assert rows["tianshou-sac"]["setting"]["batch"] == 8
