"""Ranges and boundaries that numbers give away, and the advice, followed word for word."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nppac_envs import MinariConfig, NpzConfig, ShippedConfig, shipped_names
from nppac_envs.cli import main
from nppac_envs.demonstrations.action_findings import narrow_dimensions
from nppac_envs.demonstrations.doctor import examine
from nppac_envs.demonstrations.evidence import regular_length
from nppac_envs.demonstrations.findings import Finding

STEPS, EPISODES = 40, 6


def found(arrays: dict[str, Any], folder: Path, **settings: Any) -> dict[str, Finding]:
    np.savez(folder / "set.npz", **arrays)
    findings = examine(NpzConfig(path=folder / "set.npz", **settings))
    return {finding.topic: finding for finding in findings}


def test_a_sound_set_has_nothing(walks, tmp_path: Path):
    assert found(walks(), tmp_path) == {}


@pytest.mark.parametrize(("low", "high"), [(-0.4, 0.4), (0.0, 1.0), (-1.0, -0.2)])
def test_another_range_within_minus_one_and_one(walks, tmp_path: Path, low: float, high: float):
    arrays = walks()
    arrays["actions"] = low + (arrays["actions"] + 1) / 2 * (high - low)
    finding = found(arrays, tmp_path)["narrow actions"]
    assert finding.advice.startswith("if the actuators have another range than [-1, 1]: put theirs")
    assert "--action-range" in finding.advice
    assert found(arrays, tmp_path, action_range=(low, high)) == {}


def test_a_dimension_of_one_sign_among_others_is_no_other_range(walks, tmp_path: Path):
    arrays = walks()
    arrays["actions"][:, 0] = np.abs(arrays["actions"][:, 0])
    assert found(arrays, tmp_path) == {}


def seven(arrays: dict[str, Any], **of: float) -> dict[str, Any]:
    """Seven action dimensions, those of these numbers (`d3`) that much smaller."""
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (len(arrays["states"]), 7))
    for name, scale in of.items():
        actions[:, int(name[1:])] *= scale
    return arrays | {"actions": actions}


def test_one_dimension_of_another_range_is_named_with_its_numbers(walks, tmp_path: Path):
    finding = found(seven(walks(), d3=0.05), tmp_path)["narrow dimensions"]
    assert finding.level == "note"
    assert re.match(r"action dimension 3 \(-0\.049\d* to 0\.0[45]\d*\) goes less", finding.text)
    ((low, high),) = (remedy["action_range"] for remedy in finding.remedies)
    assert low[:3] + low[4:] == [-1.0] * 6
    assert high[:3] + high[4:] == [1.0] * 6
    assert low[3] == -high[3] == pytest.approx(-0.05, abs=0.001)
    two = found(seven(walks(), d0=0.01, d6=0.02), tmp_path)["narrow dimensions"]
    assert two.text.startswith("action dimensions 0 (")
    assert ", 6 (" in two.text


def test_a_small_dimension_is_none_of_another_range(walks, tmp_path: Path):
    """A joint that one task needs little: a fifth of the others' reach, as in real episodes."""
    assert found(seven(walks(), d3=0.18), tmp_path) == {}
    still = seven(walks(), d3=0.0)
    assert set(found(still, tmp_path)) == {"dead actions"}


def test_nothing_is_said_of_ranges_that_are_known(walks, tmp_path: Path):
    arrays = seven(walks(), d3=0.05)
    bounds = np.array([-np.ones(7), np.ones(7)])
    assert found(arrays | {"action_bounds": bounds}, tmp_path) == {}
    assert "narrow dimensions" in found(arrays | {"source_range": bounds}, tmp_path)
    bounds[:, 3] /= 100
    assert "narrow dimensions" not in found(arrays | {"source_range": bounds}, tmp_path)
    degrees = arrays | {"actions": 90 * arrays["actions"]}
    assert "narrow dimensions" in found(degrees, tmp_path, action_range=(-90, 90))
    one_by_one = ([-90.0] * 3 + [-80.0] + [-90.0] * 3, [90.0] * 7)
    assert found(degrees, tmp_path, action_range=one_by_one) == {}


@pytest.mark.parametrize("name", shipped_names())
def test_no_set_that_ships_has_such_a_dimension(name: str):
    topics = {finding.topic for finding in examine(ShippedConfig(name=name))}
    assert not topics & {"narrow actions", "narrow dimensions"}


@pytest.mark.medium
def test_no_set_of_others_has_such_a_dimension_nor_an_episode_of_them(data: Path):
    root = data / "minari"
    for folder in sorted(root.glob("*/*/data")):
        name = folder.parent.relative_to(root).as_posix()
        loaded = MinariConfig(id=name, root=root, clip=True).load()
        ends = np.array([-np.ones(loaded.action_dim), np.ones(loaded.action_dim)])
        for part in (loaded, *(loaded.select([i]) for i in range(loaded.n_episodes))):
            assert not [*narrow_dimensions(part.actions, part.actions, ends)], name


def test_missing_boundaries_show_as_jumps(walks, tmp_path: Path):
    arrays = walks() | {"episode_lengths": np.array([3 * STEPS, 3 * STEPS])}
    arrays["final_states"] = arrays["final_states"][[2, 5]]
    finding = found(arrays, tmp_path)["jumps"]
    assert "4 steps go over 12 times" in finding.text
    assert "episode 0, step 39, episode 0, step 79, episode 1, step 39" in finding.text
    del arrays["episode_lengths"], arrays["final_states"]
    assert "jumps" not in found(arrays, tmp_path, episode_length=STEPS)


def test_boundaries_where_nothing_ends_are_found(walks, tmp_path: Path):
    """Episodes that were cut into pieces: most begin where the one before them ended."""
    arrays = walks()
    arrays["episode_lengths"] = np.full(4 * EPISODES, STEPS // 4)
    following = np.vstack([arrays["states"][1:], arrays["final_states"][-1:]])
    ends = np.arange(STEPS // 4 - 1, len(following), STEPS // 4)
    following[STEPS - 1 :: STEPS] = arrays["final_states"]
    arrays["final_states"] = following[ends]
    finding = found(arrays, tmp_path)["cut episodes"]
    assert "18 of 23 episodes begin where the one before them ended" in finding.text
    assert "cut episodes" not in found(walks(), tmp_path)


def test_one_place_to_start_and_end_at_is_no_evidence(walks, tmp_path: Path):
    """A robot that drives home after each demonstration."""
    arrays = walks()
    out = np.sin(np.linspace(0, np.pi, STEPS + 1))[:, None] * np.ones(3)
    states = np.stack([out * (1 + episode) for episode in range(EPISODES)])
    arrays |= {"states": states[:, :-1].reshape(-1, 3), "final_states": states[:, -1]}
    assert "cut episodes" not in found(arrays, tmp_path)


def one_step(file: Any) -> None:
    file["timeouts"] = np.isin(np.arange(60), (19, 20, 39, 59))


def nan_states(file: Any) -> None:
    file["timeouts"] = np.arange(60) % 20 == 19
    file["observations"][25, 1] = np.nan


def nan_rewards(file: Any) -> None:
    file["timeouts"] = np.arange(60) % 20 == 19
    file["rewards"] = np.where(np.arange(60) % 20 == 0, np.nan, 1.0)


def degrees(file: Any) -> None:
    file["timeouts"] = np.arange(60) % 20 == 19
    file["actions"][:] = 30.0 * file["actions"][()]


def no_ends(file: Any) -> None:
    """A file that cannot be read at all: the error itself says what to do."""


@pytest.mark.parametrize("fault", [one_step, nan_states, nan_rewards, degrees, no_ends])
def test_what_doctor_advises_makes_the_set_readable(
    tmp_path: Path, capsys, fault: Callable[[Any], None]
):
    """The first option of the advice, or of the error, with what only the file's owner knows."""
    rng = np.random.default_rng(0)
    path = tmp_path / "set.hdf5"
    with h5py.File(path, "w") as file:
        file["observations"] = np.cumsum(rng.normal(size=(60, 3)), axis=0)
        file["actions"] = rng.uniform(-1, 1, (60, 2))
        fault(file)
    assert main(["inspect", str(path)]) == 2
    if fault is nan_rewards:
        assert "without rewards, --drop-rewards, if" in capsys.readouterr().err
    assert main(["doctor", str(path)]) in (1, 2)
    printed = capsys.readouterr()
    line = printed.out.partition("->")[2] or printed.err
    option = re.search(r"--[a-z-]+( -[\d.]+ [\d.]+| N\b| [\d,]+)?", line)
    assert option is not None, line
    advised = option[0].replace(" N", " 20")
    assert main(["doctor", str(path), *shlex.split(advised)]) == 0
    assert main(["convert", str(path), *shlex.split(advised), "--output", f"{path}.npz"]) == 0
    assert len(NpzConfig(path=f"{path}.npz").load()) >= 36


@pytest.mark.parametrize(
    ("starts", "length"),
    [
        ([0, 20, 40], 20),
        ([0, 20], 20),  # the third goes on where the second ended
        ([0, 20, 47], None),
        ([0], None),
    ],
)
def test_jumps_tell_the_length_of_episodes_where_they_are_regular(
    starts: list[int], length: int | None
):
    steps = np.random.default_rng(0).normal(size=(60, 3))
    steps[starts] += 100.0
    assert regular_length(np.cumsum(steps, axis=0)) == length
