"""Episodes of others' environments are simulated again from a state, or by seed; it says which."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from nppac_envs import ConfigError, DataError, GymnasiumConfig
from nppac_envs.cli import main
from nppac_envs.demonstrations.policies import find_policy
from nppac_envs.demonstrations.recording import record
from nppac_envs.demonstrations.resimulation import drift_findings, replay, simulated_successes

ARM = GymnasiumConfig(id="lab_arm:LabArm-v0")


def recorded(first_seed: int = 0):
    return record(ARM, find_policy("uniform", 2, 0), 3, first_seed=first_seed)[0]


def test_an_environment_that_can_only_be_reset_is_started_by_the_seeds_of_the_recording(lab_arm):
    results = list(replay(recorded(5), ARM, [2, 0], first_seed=5))
    assert [(r.episode, r.by_seed, r.deviations.max()) for r in results] == [
        (2, True, 0.0),
        (0, True, 0.0),
    ]
    assert [(r.recorded, r.simulated) for r in results] == [(True, True)] * 2


def test_an_environment_that_offers_start_from_is_put_there(lab_arm, monkeypatch):
    def start_from(self: Any, observation: Any) -> Any:
        self.angles = observation.astype(np.int64)
        return self.angles

    monkeypatch.setattr(lab_arm.Arm, "start_from", start_from, raising=False)
    results = list(replay(recorded(5), ARM, [2, 0]))
    assert [(r.by_seed, r.deviations.max()) for r in results] == [(False, 0.0)] * 2


@pytest.mark.parametrize("returned", [None, {"angles": np.zeros(2)}, np.zeros(3)])
def test_a_start_from_that_returns_no_observation_is_told(lab_arm, monkeypatch, returned):
    monkeypatch.setattr(lab_arm.Arm, "start_from", lambda self, seen: returned, raising=False)
    with pytest.raises(ConfigError, match=r"of Arm returned .*, an array of shape \(2,\)"):
        list(replay(recorded(5), ARM, [0]))


def test_other_seeds_show_at_the_start_with_the_advice(lab_arm):
    (start, *_) = drift_findings(recorded(5), ARM)
    assert start.topic == "start states"
    assert "--first-seed" in start.advice
    assert drift_findings(recorded(5), ARM, first_seed=5) == []


def test_success_is_judged_by_the_simulation(lab_arm):
    known = recorded()
    unknown = replace(known, successes=None)
    judged, by_seed = simulated_successes(unknown, ARM)
    assert by_seed
    np.testing.assert_array_equal(judged.successes, known.successes)
    silent = ARM.model_copy(update={"kwargs": {"told": ["solved", "always"]}})
    with pytest.raises(ConfigError, match="'lab_arm:LabArm-v0' reports no success"):
        simulated_successes(unknown, silent)


def test_the_simulation_stands_still_after_a_terminal_state(lab_arm):
    short = ARM.model_copy(update={"kwargs": {"length": 4}})
    (result,) = replay(recorded(), short, [0])
    assert result.flags.tolist() == [False, False, True, True, True, True, True]
    assert result.deviations[4] == 0.0


@pytest.mark.medium
def test_every_command_works_for_it(lab_arm, tmp_path: Path, capsys, monkeypatch):
    frame = np.zeros((32, 32, 3), np.uint8)
    monkeypatch.setattr(lab_arm.Arm, "render", lambda self: frame)
    arm = ["--set", "id=lab_arm:LabArm-v0"]
    file = str(tmp_path / "arm.npz")

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 0
        captured = capsys.readouterr()
        return captured.out + captured.err

    policy = ["--policy", "uniform", "--episodes", "2", "--first-seed", "3"]
    run("record", "--task", "gymnasium", *arm, *policy, "--output", file)
    task = ["--task", "gymnasium", *arm, "--first-seed", "3"]
    said = run("replay", file, *task)
    assert "started by reset seeds from 3" in said
    assert "the same in 2 of 2 episodes" in said
    assert json.loads(run("replay", file, *task, "--json"))[0]["by_seed"] is True
    assert "replay drift" not in run("doctor", file, *task, "--replay")
    judge = ["--judge", "gymnasium", *arm, "--first-seed", "3"]
    said = run("convert", file, *judge, "--only-successful", "--output", str(tmp_path / "b.npz"))
    assert "judged by a simulation, started by reset seeds from 3" in said
    assert "2 of 2 episodes succeed" in said
    film = str(tmp_path / "arm.gif")
    assert "frames" in run("video", file, *task, "--every", "2", "--size", "32", "--output", film)


def test_a_recording_holds_the_map_of_its_actions_and_is_checked_against_another(lab_arm):
    np.testing.assert_array_equal(recorded().action_bounds, [[-3.0, 0.0], [5.0, 2.0]])
    wide = gymnasium.spaces.Box(np.array([-7.0, -2.0]), np.array([9.0, 4.0]), dtype=np.float64)
    lab_arm.wide = lambda **options: lab_arm.Arm(action_space=wide, length=7, **options)
    other = GymnasiumConfig(id="lab_arm:wide", horizon=7)
    assert [r.deviations.max() for r in replay(recorded(), other, [0, 1, 2])] == [0.0] * 3
    narrow = gymnasium.spaces.Box(-0.1, 0.1, (2,), np.float64)
    lab_arm.narrow = lambda **options: lab_arm.Arm(action_space=narrow, **options)
    with pytest.raises(DataError, match="'lab_arm:narrow' for"):
        next(replay(recorded(), GymnasiumConfig(id="lab_arm:narrow"), [0]))
