from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_envs import AwacConfig, DapgConfig, MinariConfig, NpzConfig
from nppac_envs.demonstrations.doctor import examine
from nppac_envs.demonstrations.findings import Finding, episode_list


@pytest.fixture
def findings(make_arrays, tmp_path: Path):
    """Examines a clean set of four episodes of five steps with changes made to its arrays."""

    def run(
        change: Any = lambda arrays: None,
        task: str | None = None,
        lengths: tuple[int, ...] = (5, 5, 5, 5),
        **settings: Any,
    ):
        arrays = make_arrays(lengths=lengths)
        arrays["successes"] = np.arange(sum(lengths)) % 5 == 4
        change(arrays)
        np.savez(tmp_path / "set.npz", **arrays)
        found = examine(NpzConfig(path=tmp_path / "set.npz", **settings), task)
        return {finding.topic: finding for finding in found}

    return run


def test_a_clean_set_has_nothing(findings):
    assert findings() == {}


def test_numbers_that_are_not_finite(findings):
    def change(arrays):
        arrays["states"][6, 2] = np.nan
        arrays["final_states"][3, 0] = np.inf

    found = findings(change)["not finite"]
    assert found.level == "error"
    assert "1 in states, 1 in final_states" in found.text
    assert "episodes 1, 3" in found.text
    assert found.advice.endswith("--exclude 1,3")
    assert findings(change, exclude=(1, 3)) == {}


def test_a_set_without_a_finite_episode(findings):
    found = findings(lambda arrays: arrays["actions"].fill(np.nan))
    assert list(found) == ["not finite"]
    assert "--exclude" not in found["not finite"].advice


def test_rewards_that_are_missing_in_every_episode(findings, tmp_path: Path):
    """Not all episodes can be excluded; without the rewards the set can be used."""

    def change(arrays):
        arrays["rewards"][::5] = np.nan

    advice = findings(change)["not finite"].advice
    assert advice.startswith("read the set without rewards, if only states and actions are needed")
    assert advice.endswith(": --drop-rewards")
    assert findings(change, drop_rewards=True) == {}
    loaded = NpzConfig(path=tmp_path / "set.npz", drop_rewards=True).load()
    assert (len(loaded), loaded.rewards) == (20, None)


def test_advice_to_exclude_works_word_for_word(findings):
    """Episodes are numbered as in the file, and those left out already stay out."""

    def change(arrays):
        arrays["states"][7, 0] = np.nan
        for name in ("states", "actions"):
            arrays[name][15:20] = arrays[name][10:15]

    found = findings(change, exclude=(0,))
    assert "in episode 1" in found["not finite"].text
    assert found["not finite"].advice == "leave them out: --exclude 0,1"
    assert found["duplicated episodes"].text == "episode 3 equals episode 2"
    assert found["duplicated episodes"].advice == (
        "keep the first of those that are equal: --exclude 0,3"
    )
    assert set(findings(change, exclude=(0, 1, 3))) == set()


def test_one_reading_that_lies_absurdly_far_out(findings):
    def change(arrays):
        arrays["states"][:] = np.random.default_rng(1).uniform(-1, 1, (200, 5))
        arrays["states"][127, 3] = 65535.0

    found = findings(change, lengths=(50,) * 4)["far out"]
    assert found.level == "warning"
    assert "dimension 3 is 65535 at episode 2, step 27" in found.text
    assert found.advice.endswith("--exclude 2")
    assert "far out" not in findings(change, lengths=(50,) * 4, exclude=(2,))


@pytest.mark.parametrize(
    ("glitches", "of", "name"),
    [(3, 6, "far out"), (4, 6, "spikes"), (4, 16, "far out"), (5, 16, "spikes")],
)
def test_readings_far_out_in_many_episodes_are_the_sets_own(findings, glitches, of, name):
    def change(arrays):
        arrays["states"][:] = np.random.default_rng(1).uniform(-1, 1, (100 * of, 5))
        arrays["states"][100 * np.arange(glitches) + 20, 3] = 90.0

    found = findings(change, lengths=(100,) * of)
    assert {"far out", "spikes"} & found.keys() == {name}
    if name == "spikes":
        assert found[name].level == "note"
        assert found[name].text.endswith(f"in {glitches} of {of} episodes")
        assert "--exclude" not in found[name].advice


def test_a_place_that_is_reached_step_by_step_does_not_lie_far_out(findings):
    """A thing that falls and stays there, against a jump to there and back."""
    column = np.random.default_rng(3).uniform(-1, 1, 400)
    column[196:200] = [-12.0, -24.0, -36.0, -48.0]

    def change(arrays, values):
        arrays["states"][:, 1] = values

    lengths = (50,) * 8
    assert "far out" not in findings(lambda a: change(a, column), lengths=lengths)
    column[196:198] = 0.0
    text = findings(lambda a: change(a, column), lengths=lengths)["far out"].text
    assert text.endswith("dimension 1 is -36 at episode 3, step 48")


@pytest.mark.parametrize("shape", ["mostly still", "two places", "heavy tails"])
def test_what_is_a_dimensions_own_shape_does_not_lie_far_out(findings, shape):
    rng = np.random.default_rng(2)
    column = {
        "mostly still": np.where(rng.random(200) < 0.1, 100.0, 0.0),
        "two places": np.where(rng.random(200) < 0.3, 100.0, 0.1 * rng.random(200)),
        "heavy tails": np.where(rng.random(200) < 0.15, 9.0, rng.normal(0, 0.1, 200)),
    }[shape]
    found = findings(lambda a: a["states"].__setitem__((..., 1), column), lengths=(50,) * 4)
    assert "far out" not in found


def test_values_that_float32_cannot_tell_apart(findings):
    def change(arrays):
        arrays["states"] = arrays["states"].astype(np.float64)
        arrays["states"][:, 2] = 1.7e9 + 0.01 * np.arange(20)

    assert list(findings(change)) == ["lost in float32"], "it is not dead"
    found = findings(change)["lost in float32"]
    assert "state dimension 2 has 20 distinct values in the file and 1 in float32" in found.text

    def subtracted(arrays):
        change(arrays)
        arrays["states"][:, 2] -= arrays["states"][0, 2]

    assert findings(subtracted) == {}, "the advice works"


def test_an_offset_that_float32_can_hold_is_fine(findings):
    def change(arrays):
        arrays["states"] = arrays["states"].astype(np.float64)
        arrays["states"][:, 2] += 1e5

    assert findings(change) == {}


def test_actions_out_of_range(findings):
    def change(arrays):
        arrays["actions"][5:7, 0] = 1.5, -2.0

    found = findings(change)["out of range"]
    assert found.level == "error"
    assert "2 of 40 action entries are outside [-1, 1]" in found.text
    assert "to 1.5) in episode 1" in found.text
    assert findings(change, clip=True)["out of range"].level == "note"
    assert "out of range" not in findings(change, action_range=(-2, 2))


def test_failed_episodes(findings):
    def change(arrays):
        arrays["successes"][[4, 14]] = False

    found = findings(change)["failed episodes"]
    assert "2 of 4 episodes succeed; episodes 0, 2 do not" in found.text
    assert "--only-successful" in found.advice


def test_success_that_is_not_recorded(findings):
    def change(arrays):
        del arrays["successes"]

    assert findings(change)["success"].level == "note"


def test_saturated_actions(findings):
    def change(arrays):
        arrays["actions"][:, 1] = 1.0
        arrays["actions"][0, 1] = 0.5

    found = findings(change)["saturated actions"]
    assert "47.5% of action entries" in found.text
    assert "dimensions 1 (95%)" in found.text


def test_states_that_repeat(findings):
    def change(arrays):
        arrays["states"][7] = arrays["states"][6]

    found = findings(change)["duplicated states"]
    assert "1 states equal the one before them" in found.text
    assert "in episode 1" in found.text

    def across(arrays):
        arrays["states"][5] = arrays["states"][4]

    assert findings(across) == {}, "an episode may start where the one before it ended"


def test_episodes_that_repeat(findings):
    def change(arrays):
        for name in ("states", "actions"):
            arrays[name][10:15] = arrays[name][0:5]

    assert findings(change)["duplicated episodes"].text == "episode 2 equals episode 0"


def test_dead_dimensions(findings):
    def change(arrays):
        arrays["states"][:, [1, 3]] = 0.25
        arrays["actions"][:, 0] = 0.0

    found = findings(change)
    assert found["dead states"].text == "2 of 5 state dimensions never change: 1, 3"
    assert found["dead states"].level == "note"
    assert found["dead actions"].level == "warning"


def test_odd_lengths(findings):
    def change(arrays):
        arrays["episode_lengths"] = np.array([9, 1, 5, 5])
        arrays["successes"][[0, 9]] = True

    assert "episode 1: 1 to 1 steps, and the median is 5" in findings(change)["odd lengths"].text


def door(angles: list[float], successes: list[bool], tmp_path: Path) -> list[Finding]:
    """A door episode with these hinge angles, the last one that of the final state."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(len(angles), 39))
    states[:, 28] = angles
    np.savez(
        tmp_path / "door.npz",
        states=states[:-1],
        actions=rng.uniform(-1, 1, size=(len(angles) - 1, 28)),
        final_states=states[-1:],
        episode_lengths=np.array([len(angles) - 1]),
        successes=np.array(successes),
    )
    return examine(NpzConfig(path=tmp_path / "door.npz"), "door")


def test_success_that_fits_the_rule_or_is_late(tmp_path: Path):
    angles = [0.0, 0.5, 1.4, 1.5, 1.2]
    assert door(angles, [False, True, True, False], tmp_path) == []
    (late,) = door(angles, [False, False, True, True], tmp_path)
    assert (late.level, late.topic) == ("error", "shifted success")
    (other,) = door(angles, [True, True, True, False], tmp_path)
    assert (other.level, other.topic) == ("warning", "success rule")
    assert "at 1 of 4 steps in episode 0" in other.text


@pytest.mark.parametrize(
    ("episodes", "text"),
    [
        ([3], "episode 3"),
        ([0, 1, 2, 3, 7], "episodes 0 to 3, 7"),
        ([9, 10, 1], "episodes 1, 9, 10"),
        (range(0, 40, 2), "episodes 0, 2, 4, 6, 8, 10, 12, 14, ..."),
    ],
)
def test_lists_of_episodes(episodes, text: str):
    assert episode_list(episodes) == text


def test_the_readme_of_the_real_data(data: Path):
    def found(config: Any, task: str | None = None) -> dict[str, str]:
        return {finding.topic: finding.text for finding in examine(config, task)}

    door = found(MinariConfig(id="door/human-v0", root=data / "minari"), "door")
    assert list(door) == ["failed episodes"]
    assert "7 of 25 episodes succeed" in door["failed episodes"]
    pen = found(MinariConfig(id="pen/human-v0", root=data / "minari"), "pen")
    assert "17 of 25 episodes succeed" in pen["failed episodes"]
    assert "49.6% of action entries" in pen["saturated actions"]
    assert "17 episodes succeed by the record, 25 by the rule" in pen["success rule"]
    raw = found(DapgConfig(path=data / "raw" / "door-v0_demos.pickle"))
    assert "10,562 of 187,712 action entries are outside" in raw["out of range"]
    paths = found(AwacConfig(path=data / "raw" / "pen2_sparse.npy"))
    assert "17 of 25 episodes succeed" in paths["failed episodes"]


@pytest.mark.parametrize("name", ["door", "pen", "relocate", "hammer"])
def test_the_experts(data: Path, name: str):
    found = {
        f.topic: f
        for f in examine(MinariConfig(id=f"{name}/expert-v0", root=data / "minari"), name)
    }
    assert "success rule" not in found
    assert ("failed episodes" in found) == (name == "pen")
