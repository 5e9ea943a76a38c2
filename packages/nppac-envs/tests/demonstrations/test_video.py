from __future__ import annotations

from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest
from nppac_envs import ConfigError, DataError, PenConfig
from nppac_envs.adroit.task import AdroitTask
from nppac_envs.demonstrations.policies import find_policy
from nppac_envs.demonstrations.recording import record
from nppac_envs.demonstrations.video import write_video

pytestmark = pytest.mark.medium


@pytest.fixture(scope="module")
def recorded():
    """Two failed episodes of four steps."""
    config = PenConfig(horizon=4)
    return record(config, find_policy("uniform", 24, 0), 2)[0], config


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grey frame instead of a drawn one, so that no OpenGL is needed."""

    def render(self: AdroitTask) -> np.ndarray:
        return np.full((48, 48, 3), 90, np.uint8)

    monkeypatch.setattr(AdroitTask, "render", render)


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_frames_and_borders(recorded, tmp_path: Path, suffix: str):
    if suffix == ".mp4":
        pytest.importorskip("imageio_ffmpeg")
    demonstrations, config = recorded
    path = tmp_path / f"film{suffix}"
    written = write_video(demonstrations, config, [1, 0], path, every=2, size=64)
    assert written == 6, "the start and every second of four steps, twice"
    frames = imageio.mimread(path)
    assert frames[0].shape[:2] == (64, 64)
    red, green, blue = frames[0][1, 30, :3].astype(int)
    assert red > green + 50, "a failure has a red border"
    assert red > blue + 50
    assert abs(int(frames[0][32, 32, 0]) - 90) < 12
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.usefixtures("painted")
def test_mistakes_are_one_line_and_leave_nothing(recorded, tmp_path: Path):
    demonstrations, config = recorded
    for path, settings, error in (
        (tmp_path / "film.avi", {}, ConfigError),
        (tmp_path / "film.gif", {"size": 5}, ConfigError),
        (tmp_path / "film.gif", {"every": 0}, ConfigError),
        (tmp_path / "no" / "film.gif", {}, DataError),
    ):
        with pytest.raises(error) as caught:
            write_video(demonstrations, config, [0], path, **settings)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
