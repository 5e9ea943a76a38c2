from __future__ import annotations

from pathlib import Path

import pytest
from nppac_envs import ConfigError
from nppac_envs.demonstrations.locations import locate
from nppac_envs.demonstrations.minari_writer import write_minari


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a.npz", "npz"),
        ("a.CSV", "csv"),
        ("a.hdf5", "d4rl"),
        ("a.h5", "d4rl"),
        ("a.pickle", "dapg"),
        ("a.pkl", "dapg"),
        ("a.npy", "awac"),
        ("door", "shipped"),
        ("door/human-v0", "minari"),
        ("D4RL/door/human-v2", "minari"),
    ],
)
def test_what_a_text_names(text: str, source: str):
    config = locate(text, clip=True, n_episodes=None)
    assert config.source == source
    assert config.clip
    assert config.n_episodes is None


def test_folders(tmp_path: Path, demonstrations):
    (tmp_path / "robot" / "meta").mkdir(parents=True)
    (tmp_path / "robot" / "meta" / "info.json").write_text("{}")
    assert locate(str(tmp_path / "robot")).source == "lerobot"
    folder = write_minari(demonstrations, "door/mine-v0", tmp_path)
    assert locate(str(folder)).load().hash == demonstrations.hash
    assert locate("door/mine-v0", root=tmp_path).load().hash == demonstrations.hash


def test_a_source_can_be_named(tmp_path: Path):
    assert locate("door", source="minari").source == "minari"
    assert locate("paths.bin", source="awac").source == "awac"


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("a.npz", {"source": "xlsx"}, "source 'xlsx' is unknown; there are 'minari', "),
        ("a.npz", {"root": "."}, "npz root: Extra inputs"),
        ("a.npz", {"n_episodes": 0}, "n_episodes"),
        ("a.pickle", {"fields": {"states": "x"}}, "dapg fields: Extra inputs"),
        ("a.npz", {"fields": {"state": "x"}}, "fields.state"),
    ],
)
def test_mistakes_are_one_line(text: str, settings: dict, message: str):
    with pytest.raises(ConfigError, match=message) as caught:
        locate(text, **settings)
    assert "\n" not in str(caught.value)


def test_a_file_of_unknown_kind(tmp_path: Path):
    (tmp_path / "data.bin").write_text("")
    with pytest.raises(ConfigError, match="cannot tell what it is"):
        locate(str(tmp_path / "data.bin"))
