from __future__ import annotations

import logging
import os
from typing import Literal

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from nppac_agents.reporting.frames import load_frames
from nppac_agents.running.filming import choose_renderer, record_frames, shrink
from nppac_envs.adroit.config import DoorConfig
from nppac_envs.config import EnvConfig
from nppac_envs.errors import ConfigError
from nppac_priors.errors import DataError


class Counting(gymnasium.Env):
    """Counts its steps, shows the count as a grey level, and is solved from step 6 on."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, length, broken):
        self.length, self.broken, self.closed = length, broken, False
        self.drawn, self.seeds, self.actions = 0, [], []

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        self.steps = 0
        return np.array([self.steps, 0], np.float32), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.actions.append(action)
        self.steps += 1
        info = {"success": np.bool_(self.steps >= 6)}
        return np.array([self.steps, 0], np.float32), 0.0, self.steps == self.length, False, info

    def render(self):
        if self.broken:
            raise ConfigError("no OpenGL on this machine\nand a second line")
        self.drawn += 1
        return np.full((400, 640, 3), self.steps, np.uint8)

    def close(self):
        self.closed = True


class CountingConfig(EnvConfig):
    kind: Literal["counting"] = "counting"
    horizon: int = 100

    @property
    def has_success(self):
        return True

    def make(self, *, render_mode=None):
        assert render_mode == "rgb_array"
        return MADE[-1]


MADE: list[Counting] = []


@pytest.fixture
def make_env(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "untouched")

    def make(length=10, broken=False):
        MADE.append(Counting(length, broken))
        return MADE[-1]

    return make


def act(states):
    assert states.shape == (1, 2)
    return np.full((1, 1), 5.0, np.float32)


def test_frames_are_evenly_spaced_and_end_with_the_episode(make_env):
    env = make_env()
    frames = record_frames(CountingConfig(), act, seed=1234, n_frames=6)
    assert frames.steps.tolist() == [0, 2, 4, 6, 8, 10]
    assert frames.images.shape == (6, 200, 320, 3)
    assert frames.images[:, 0, 0, 0].tolist() == [0, 2, 4, 6, 8, 10]
    assert frames.successes.tolist() == [False] * 5 + [True] * 5
    assert frames.reason == ""
    assert set(env.seeds) == {1234}
    assert env.closed
    assert env.drawn == 7


def test_short_episode_gives_fewer_frames(make_env):
    make_env(length=2)
    frames = record_frames(CountingConfig(), act, seed=0, n_frames=8)
    assert frames.steps.tolist() == [0, 1, 2]


def test_machine_that_cannot_draw_gets_a_reason(make_env, caplog):
    env = make_env(broken=True)
    with caplog.at_level(logging.WARNING):
        frames = record_frames(CountingConfig(), act, seed=0, n_frames=4)
    assert frames.reason == "cannot draw 'counting': no OpenGL on this machine"
    assert len(frames.images) == len(frames.steps) == 0
    assert "logging.frames 0 asks for none): cannot draw 'counting': no OpenGL" in caplog.text
    assert env.closed


def test_a_fault_of_the_policy_is_not_taken_for_one_of_drawing(make_env):
    make_env()

    def faulty(states):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_frames(CountingConfig(), faulty, seed=0, n_frames=4)


@pytest.mark.medium
def test_hand_task_gives_pictures_or_a_reason(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MUJOCO_GL", "restored afterwards")
    monkeypatch.delenv("MUJOCO_GL")

    def still(states):
        return np.zeros((len(states), 28), np.float32)

    frames = record_frames(DoorConfig(horizon=3), still, seed=1000, n_frames=2)
    if frames.reason:
        assert "cannot draw 'door'" in frames.reason
        assert len(frames.images) == 0
    else:
        assert frames.images.shape == (2, 320, 320, 3)
        assert frames.images.std() > 10
        assert frames.steps.tolist() == [0, 3]


@pytest.mark.parametrize("broken", [False, True])
def test_file_gives_back_what_was_saved(make_env, tmp_path, broken):
    make_env(broken=broken)
    frames = record_frames(CountingConfig(), act, seed=7, n_frames=3)
    frames.save(tmp_path / "frames.npz")
    back = load_frames(tmp_path / "frames.npz")
    for name in ("images", "steps", "successes"):
        np.testing.assert_array_equal(getattr(back, name), getattr(frames, name))
        assert getattr(back, name).dtype == getattr(frames, name).dtype
    assert (back.seed, back.reason) == (7, frames.reason)
    assert [file.name for file in tmp_path.iterdir()] == ["frames.npz"]


def test_file_with_objects_is_refused(tmp_path):
    np.savez(tmp_path / "frames.npz", images=np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"frames\.npz: cannot be read as frames"):
        load_frames(tmp_path / "frames.npz")


def test_shrinking_averages_areas():
    image = np.zeros((4, 6, 3), np.uint8)
    image[:2, :3] = 90
    image[0, 0] = 0
    small = shrink(image, 2)
    assert small.shape == (1, 2, 3)
    assert small[0, 0].tolist() == [round(5 * 90 / 12)] * 3
    assert small[0, 1].tolist() == [0, 0, 0]


def test_shrinking_by_a_fraction_keeps_a_constant_and_the_mean():
    assert (shrink(np.full((48, 48, 3), 201, np.uint8), 32) == 201).all()
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3)).astype(np.uint8)
    assert shrink(image, 32).mean() == pytest.approx(image.mean(), abs=0.1)
    np.testing.assert_array_equal(shrink(image, 320), image)


@pytest.mark.parametrize(
    ("environment", "loadable", "expected"),
    [
        ({}, {"libEGL.so.1", "libOSMesa.so.8"}, "egl"),
        ({}, {"libOSMesa.so.8"}, "osmesa"),
        ({}, set(), None),
        ({"DISPLAY": ":0"}, {"libEGL.so.1"}, None),
        ({"WAYLAND_DISPLAY": "wayland-0"}, {"libEGL.so.1"}, None),
        ({"MUJOCO_GL": "glfw"}, {"libEGL.so.1"}, "glfw"),
    ],
)
def test_renderer_is_chosen_only_where_it_has_to_be(monkeypatch, environment, loadable, expected):
    def load(name):
        if name not in loadable:
            raise OSError(name)

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("ctypes.CDLL", load)
    monkeypatch.setenv("MUJOCO_GL", "restored afterwards")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    choose_renderer()
    assert os.environ.get("MUJOCO_GL") == expected
