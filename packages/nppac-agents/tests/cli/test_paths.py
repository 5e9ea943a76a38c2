"""Commands and configs take `~` in every path, and a missing file names the folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from nppac_agents.cli.arguments import parse
from nppac_agents.cli.commands import labelled_runs
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.studies.loading import load_study
from nppac_envs import Demonstrations

COMMANDS = [
    "train ~/door.json",
    "extend ~/run --env-steps=9",
    "evaluate ~/run",
    "record ~/run --output=~/r.npz",
    "video ~/run --output=~/v.mp4",
    "export ~/run ~/policy",
    "report ~/run",
    "validate ~/door.json",
    "schema --output=~/s.json",
    "new ~/d.npz --output=~/new.json",
    "sweep ~/door.json",
    "status ~/study",
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda text: text.split()[0])
def test_commands_take_it_in_every_path(home: Path, command: str):
    paths = []
    for value in vars(parse(command.split())).values():
        paths += [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, Path)]
    # The data of `new` are a path, a name or an id, and `locate` tells which.
    assert len(paths) == command.count("~") - (command.startswith("new"))
    assert all(path.is_relative_to(home) for path in paths)


def test_compared_runs_are_found_there(home: Path):
    (home / "runs" / "a").mkdir(parents=True)
    (home / "runs" / "a" / "config.json").write_text("{}")
    assert labelled_runs("x=~/runs/a,~/runs/*") == ("x", [home / "runs" / "a"] * 2)


def test_files_of_experiments_and_studies_are_read_from_there(home: Path):
    arrays = Demonstrations(
        states=np.zeros((2, 3)), actions=np.zeros((2, 1)), final_states=np.zeros((1, 3)),
        episode_lengths=[2],
    )  # fmt: skip
    arrays.save_npz("~/d.npz")
    data = {"env": None, "demonstrations": {"source": "npz", "path": "~/d.npz"}}
    data |= {"agent": {"kind": "bc"}, "training": {"env_steps": 0}, "output_dir": "~/run"}
    (home / "bc.json").write_text(json.dumps(data))
    config = load_experiment("~/bc.json")
    assert config.demonstrations is not None
    assert len(config.demonstrations.load()) == 2
    assert RunDirectory(config.output_dir).path == RunDirectory("~/run").path == home / "run"
    (home / "study.json").write_text(json.dumps({"experiments": {"bc": "~/bc.json"}, "seeds": [0]}))
    assert load_study(home / "study.json", {"output_dir": "~/study"}).output_dir == str(
        home / "study"
    )


def test_what_is_missing_is_told_with_the_folder_that_was_looked_in(nppac_run, tmp_path: Path):
    for argv in (["validate", "none.json"], ["evaluate", "none"], ["new", "none.npz"]):
        result = nppac_run(*argv)
        assert result.code == 2
        assert f"no such file in {tmp_path}" in result.err[0], result.err
