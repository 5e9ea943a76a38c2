from __future__ import annotations

import json
from pathlib import Path

import pytest
from nppac_envs import Demonstrations, ShippedConfig, shipped_names
from nppac_envs.checked import make_checked
from nppac_envs.demonstrations import shipped
from nppac_envs.demonstrations.locations import locate
from nppac_envs.environments import env_config
from nppac_envs.errors import ConfigError
from pydantic import ValidationError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    (tmp_path / "door.json").write_text('{"episodes": 3}')
    return tmp_path


def test_a_set_is_loaded_by_name(folder: Path, demonstrations: Demonstrations):
    demonstrations.save_npz(folder / "door.npz")
    assert shipped_names() == ("door",)
    loaded = ShippedConfig(name="door", n_episodes=2).load()
    assert loaded.hash == demonstrations.take(2).hash
    assert loaded.source == "shipped door"


def test_an_unknown_name_lists_what_ships(folder: Path, demonstrations: Demonstrations):
    with pytest.raises(ValidationError, match="there are: none"):
        ShippedConfig(name="pen")
    for name in ("pen", "door"):
        demonstrations.save_npz(folder / f"{name}.npz")
    for wrong in ("hammer", "../door", "door.npz", ""):
        with pytest.raises(ValidationError, match="there are: 'door', 'pen'"):
            ShippedConfig(name=wrong)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_episodes": 26}, "n_episodes is 26, but there are 25 episodes"),
        ({"exclude": (25,)}, "exclude must name some of the episodes 0 to 24, not all"),
    ],
)
def test_episodes_that_a_set_has_not_are_refused_before_it_is_read(
    settings, message: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shipped, "read_demonstrations", lambda *_: pytest.fail("it is read"))
    with pytest.raises(ValidationError, match=message):
        ShippedConfig(name="door", **settings)
    ShippedConfig(name="door", n_episodes=25, exclude=(24,))
    with pytest.raises(ConfigError, match=f"^door: shipped: {message}"):
        locate("door", **settings)


def test_every_set_that_ships_says_how_it_was_made_and_loads():
    stories = {path.stem: json.loads(path.read_text()) for path in shipped.FOLDER.glob("*.json")}
    assert set(stories) == set(shipped_names())
    for name, story in stories.items():
        loaded = ShippedConfig(name=name).load()
        assert loaded.source == f"shipped {name}"
        assert (loaded.n_episodes, len(loaded)) == (story["episodes"], story["steps"])
        with make_checked(env_config(story["env"]["kind"], story["env"])) as env:
            assert env.observation_space.shape == (loaded.state_dim,)
            assert env.action_space.shape == (loaded.action_dim,)
            assert env_config(story["env"]["kind"], story["env"]).dimensions == (
                ShippedConfig(name=name).dimensions()
            )
        assert loaded.episode_lengths.max() <= story["env"]["horizon"]
        assert story["made_by"]
        assert len(story["commit"]) == 40


def test_what_ships_stays_small():
    """12 MB together."""
    assert sum(path.stat().st_size for path in shipped.FOLDER.glob("*.npz")) <= 12e6
