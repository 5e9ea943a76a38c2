from __future__ import annotations

from pathlib import Path

from nppac_agents.studies.comparison import methods
from nppac_agents.studies.config import StudyConfig
from nppac_agents.studies.expansion import points, runs

SAC = {"env": {"kind": "door"}, "agent": {"kind": "sac"}}
TASKS = {"door": {"env.kind": "door"}, "pen": {"env": {"kind": "pen", "horizon": 100}}}


def grouped(**fields):
    study = StudyConfig.model_validate({"experiments": {"a": SAC, "b": SAC}, **fields})
    found = points(study, "s")
    return methods(runs(study, found, Path("r")), found)


def test_methods_are_experiments_over_all_their_tasks_and_seeds():
    found = grouped(grid={"task": TASKS}, seeds="0:2")
    assert list(found) == ["a", "b"]
    assert sorted(map(str, found["b"])) == [
        "r/b/task=door/seed0", "r/b/task=door/seed1", "r/b/task=pen/seed0", "r/b/task=pen/seed1",
    ]  # fmt: skip


def test_values_of_the_method_make_methods():
    found = grouped(grid={"agent.alpha": [0.1, 0.4], "task": TASKS})
    assert list(found) == [
        "a agent.alpha=0.1", "a agent.alpha=0.4", "b agent.alpha=0.1", "b agent.alpha=0.4",
    ]  # fmt: skip


def test_an_axis_of_one_protocol_is_none_of_tasks():
    rewards = {"grid": {"env.reward": ["zero-one", "binary"]}}
    assert list(grouped(**rewards))[:2] == ["a env.reward=zero-one", "a env.reward=binary"]
    assert list(grouped(grid={"env.horizon": [100, 200]})) == ["a", "b"]
    assert list(grouped(grid={"evaluation.episodes": [5, 10]})) == ["a", "b"]
