"""A run goes on, and its policies act, only where actions and observations mean the same."""

from __future__ import annotations

import json

import pytest
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import run_policy
from nppac_agents.running.same_environment import require_same_environment
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium

TOLD = {
    "id": "lab:Arm",
    "class": "lab.Arm",
    "file": "lab.py",
    "action_bounds": [[-2.0, 0.0], [2.0, 1.0]],
    "observation_keys": ["a", "b"],
}
CHANGES = {
    "bounds": ({"action_bounds": [[-2.0, 0.0], [2.5, 1.0]]}, r"bounds of actions .* \[2.5, 1.0\]"),
    "order": ({"observation_keys": ["b", "a"]}, r"entries of an observation are \['b', 'a'\]"),
    "no map": ({"action_bounds": None}, "bounds of actions .* are None, this run learned with"),
}


@pytest.fixture
def told(point_config, monkeypatch):
    """What making the environment tells, to be changed."""
    now = dict(TOLD)
    monkeypatch.setattr(type(point_config), "details", lambda self: dict(now))
    return now


@pytest.fixture
def run(told, point_experiment, run_point, monkeypatch):
    """A finished run in that environment."""
    monkeypatch.setattr(RunDirectory, "config", lambda self: point_experiment)
    return run_point(point_experiment, "first")[1]


@pytest.fixture
def go_on(point_experiment, run_point):
    """Extends it."""
    longer = point_experiment.training.model_copy(update={"env_steps": 180})
    return lambda: run_point(
        point_experiment.model_copy(update={"training": longer}), "first", resume=True
    )


@pytest.mark.parametrize("name", CHANGES)
def test_another_environment_is_refused_before_anything_is_written(name, told, run, go_on):
    change, problem = CHANGES[name]
    told |= change
    before = run.environment.read_bytes()
    with pytest.raises(ConfigError, match=problem):
        go_on()
    with pytest.raises(ConfigError, match=problem):
        run_policy(run, "last")
    assert run.environment.read_bytes() == before


def test_the_same_environment_in_another_place_goes_on(told, run, go_on):
    told["file"] = "elsewhere.py"
    run_policy(run, "last")
    go_on()
    assert json.loads(run.environment.read_text())["env"]["file"] == "elsewhere.py"


def test_what_cannot_be_read_tells_nothing(tmp_path):
    path = tmp_path / "environment.json"
    for text in (None, "", "[]", '{"host": "x"}'):
        if text is not None:
            path.write_text(text)
        require_same_environment(path, TOLD)
    path.write_text('{"env": null}')
    require_same_environment(path, None)
    with pytest.raises(ConfigError, match="bounds of actions"):
        require_same_environment(path, TOLD)
