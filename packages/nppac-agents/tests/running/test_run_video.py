import io

import imageio.v2 as imageio
import numpy as np
import pytest
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run_video import choose, film
from nppac_envs.errors import ConfigError as EnvsConfigError
from nppac_envs.measures import Measures
from nppac_priors.errors import ConfigError


def measured(at_end, returns):
    flags = np.array(at_end, dtype=bool)
    return Measures(flags, flags, flags * 1.0, np.ones(len(flags)), np.array(returns, float))


def test_first_worst_and_best_are_by_success_at_the_end_then_by_return():
    chosen = choose(measured([1, 0, 0, 1], [5.0, 9.0, 2.0, 4.0]), range(10_000, 10_004))
    assert [(one.title, one.seed) for one in chosen] == [
        ("first and best of 4", 10_000),
        ("worst of 4", 10_002),
    ]
    (only,) = choose(measured([1], [1.0]), range(7, 8))
    assert (only.title, only.solved) == ("first and worst and best of 1", True)


@pytest.fixture
def drawing(point_config, monkeypatch):
    """The point environment draws: a picture of odd size, as wide as the films of others."""
    make = type(point_config).make

    def drawn(self, *, render_mode=None):
        env = make(self)
        env.unwrapped.metadata = {"render_modes": ["rgb_array"], "render_fps": 50}
        env.unwrapped.render_mode = render_mode
        env.unwrapped.render = lambda: np.full((61, 301, 3), 200, np.uint8)
        return env

    monkeypatch.setattr(type(point_config), "make", drawn)


@pytest.mark.medium
@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_a_film_has_every_other_step_and_its_bar_is_green_after_a_success(
    finished, drawing, tmp_path, name
):
    if name.endswith("mp4"):
        pytest.importorskip("imageio_ffmpeg")
    out = io.StringIO()
    film(finished, tmp_path / name, "best", episodes=1, first_seed=None, console=PlainConsole(out))
    with imageio.get_reader(tmp_path / name) as reader:
        frames = list(reader.iter_data())  # pyright: ignore[reportAttributeAccessIssue]
    assert len(frames) == 11, "steps 0, 2, ..., 20"
    assert frames[0].shape[:2] == (60 + 24, 300)
    bars = [frame[-2, -2, :3].astype(int) for frame in frames]
    assert abs(bars[0] - (60, 60, 60)).max() < 16
    solved = "no success" not in out.getvalue()
    green = [abs(bar - (46, 139, 87)).max() < 24 for bar in bars]
    assert any(green) == solved
    assert "first and worst and best of 1: seed 10000" in out.getvalue()


@pytest.mark.medium
def test_what_cannot_be_filmed_is_refused_in_a_line(finished, tmp_path, monkeypatch):
    def attempt(name):
        console = PlainConsole(io.StringIO())
        film(finished, tmp_path / name, None, episodes=1, first_seed=None, console=console)

    with pytest.raises(EnvsConfigError, match=r"x\.avi: a video must end in .gif or .mp4"):
        attempt("x.avi")
    with pytest.raises(ConfigError, match="cannot draw 'point'"):
        attempt("x.gif")
    assert list(tmp_path.glob("x*")) == []
