"""A path means the same wherever a user writes it: `~` is home, else it starts where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_priors.cli.arguments import parse
from nppac_priors.episodes import read_episodes
from nppac_priors.errors import ConfigError, NppacError
from nppac_priors.loading import load_prior
from nppac_priors.strict_json import read_json
from nppac_priors.user_files import user_path

COMMANDS = [
    "fit ~/d.npz exact-gp --output=~/p.safetensors",
    "extend ~/p.safetensors ~/d.npz --output=~/p.safetensors",
    "report ~/d.npz exact-gp --output=~/report",
    "training ~/d.npz ensemble --output=~/training",
]


def test_home_stands_for_itself_and_a_user_who_is_not_there_for_nothing(home: Path):
    assert user_path("~/a") == home / "a"
    assert user_path("~nobody-of-this-name/a") == Path("~nobody-of-this-name/a")
    assert user_path("a/~") == Path("a/~")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda text: text.split()[0])
def test_commands_take_it_in_every_path(home: Path, command: str):
    paths = [v for v in vars(parse(command.split())).values() if isinstance(v, Path)]
    assert len(paths) == command.count("~")
    assert all(path.is_relative_to(home) for path in paths)


def test_files_are_read_from_there(home: Path):
    arrays = {"states": np.zeros((2, 3)), "actions": np.zeros((2, 1)), "episode_lengths": [2]}
    np.savez(home / "d.npz", **arrays)
    (home / "c.json").write_text("{}")
    assert len(read_episodes("~/d.npz")) == 2
    assert read_json(Path("~/c.json")) == {}


@pytest.mark.parametrize("read", [read_episodes, read_json, load_prior], ids=lambda f: f.__name__)
def test_what_is_missing_is_told_with_the_folder_that_was_looked_in(home: Path, read: Any):
    with pytest.raises(NppacError, match=f"no such file in {Path.cwd()}"):
        read(Path("none"))
    with pytest.raises(NppacError) as caught:
        read(home / "none")
    assert str(Path.cwd()) not in str(caught.value)
    assert isinstance(caught.value, ConfigError) == (read is read_json)
