from __future__ import annotations

import json
from pathlib import Path

import pytest
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.studies.config import StudyConfig
from nppac_agents.studies.expansion import points, runs, written_out
from nppac_priors.errors import ConfigError

SAC = {"env": {"kind": "door"}, "agent": {"kind": "sac"}}
TASKS = {
    "door": {"env.kind": "door", "training.env_steps": 100},
    "pen": {"env": {"kind": "pen", "horizon": 100}, "training.env_steps": 200},
}


def expanded(**fields):
    return points(StudyConfig.model_validate({"experiments": {"sac": SAC}, **fields}), "s.json")


def one(found, name):
    (point,) = [point for point in found if point.name == name]
    return point.config


def test_runs_are_experiments_times_grid_times_seeds_seed_by_seed():
    study = StudyConfig.model_validate(
        {
            "experiments": {"a": SAC, "b": SAC},
            "grid": {"agent.alpha": [0.1, 0.4], "task": TASKS},
            "seeds": "3:5",
        }
    )
    found = runs(study, points(study, "s.json"), Path("x"))
    assert len(found) == 2 * 2 * 2 * 2
    assert [run.seed for run in found] == [3] * 8 + [4] * 8
    assert found[1].name == "a/agent.alpha=0.1/task=pen/seed3"
    assert found[-1].name == "b/agent.alpha=0.4/task=pen/seed4"
    assert found[-1].path == Path("x/b/agent.alpha=0.4/task=pen/seed4")
    config = found[-1].config
    assert (config.seed, config.output_dir) == (4, str(found[-1].path))


def test_an_axis_sets_one_field_by_its_path_or_several_by_a_name():
    found = expanded(grid={"agent.alpha": [0.1, 0.4], "task": TASKS})
    config = one(found, "sac/agent.alpha=0.4/task=pen")
    assert config.agent.model_dump()["alpha"] == 0.4
    assert (config.env.kind, config.training.env_steps) == ("pen", 200)
    assert one(found, "sac/agent.alpha=0.1/task=door").env.kind == "door"


def test_an_experiment_may_lack_what_the_grid_adds():
    found = expanded(experiments={"sac": {"agent": {"kind": "sac"}}}, grid={"task": TASKS})
    assert [point.config.env.kind for point in found] == ["door", "pen"]


def test_later_layers_win_set_then_grid_then_budget_then_exceptions():
    layers = {
        "set": {"training.env_steps": 1, "training.n_envs": 1, "seed": 9},
        "grid": {"task": {"door": {"training.env_steps": 2, "training.start_steps": 2}}},
        "budgets": {"small": {"training.start_steps": 3, "evaluation.every": 3}},
        "exceptions": [
            {"where": {"task": "door", "experiment": "sac"}, "set": {"evaluation.every": 4}},
        ],
    }
    (whole,) = expanded(**layers, budget="small")
    training, every = whole.config.training, whole.config.evaluation.every
    assert (training.n_envs, training.env_steps, training.start_steps, every) == (1, 2, 3, 4)
    (without,) = expanded(**layers)
    assert without.config.training.start_steps == 2


def test_exceptions_are_of_their_points_alone():
    found = expanded(
        grid={"task": TASKS},
        exceptions=[{"where": {"task": "pen"}, "set": {"agent.alpha": 0.7}}],
    )
    alphas = {point.values["task"]: point.config.agent.model_dump()["alpha"] for point in found}
    assert alphas["pen"] == 0.7 != alphas["door"]


def test_one_point_does_not_change_the_next():
    values = {"first": {"agent": {"kind": "sac", "policy_hidden": [8]}}, "second": {}}
    found = expanded(grid={"net": values, "agent.alpha": [0.5]})
    dumps = [point.config.agent.model_dump() for point in found]
    assert dumps[0]["policy_hidden"] == (8,) != dumps[1]["policy_hidden"]
    assert values["first"]["agent"] == {"kind": "sac", "policy_hidden": [8]}


def test_all_mistakes_are_told_at_once_with_the_point():
    with pytest.raises(ConfigError) as caught:
        expanded(grid={"agent.alpha": [0.1, -1], "env.kind": ["door", "dor"]})
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith("s.json: sac agent.alpha=") for line in lines)
    assert "s.json: sac agent.alpha=-1 env.kind=door: agent.alpha: " in "\n".join(lines)
    assert "did you mean 'door'" in "\n".join(lines)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"exceptions": [{"where": {"task": "pan"}, "set": {}}], "grid": {"task": TASKS}},
         r"exceptions\[0\].where: there is no task 'pan'"),
        ({"exceptions": [{"where": {"tusk": "pen"}, "set": {}}], "grid": {"task": TASKS}},
         r"exceptions\[0\].where: there is no tusk 'pen'"),
        ({"grid": {"env.reward": ["zero one", "zero/one"]}},
         r"grid.env.reward: its values do not give different names"),
        ({"set": {"env.kind.x": 1}}, "env.kind is a string, not an object"),
    ],
)  # fmt: skip
def test_what_names_no_point_or_no_field_is_refused(fields, told):
    with pytest.raises(ConfigError, match=told):
        expanded(**fields)


def test_a_study_with_its_experiments_written_out_is_the_same_study(tmp_path):
    file = tmp_path / "sac.json"
    file.write_text(json.dumps(SAC))
    study = StudyConfig.model_validate(
        {"experiments": {"sac": str(file)}, "grid": {"task": TASKS}, "seeds": [5, 6]}
    )
    again = StudyConfig.model_validate(json.loads(json.dumps(written_out(study))))
    file.unlink()
    found = points(again, "s")
    assert [point.name for point in found] == ["sac/task=door", "sac/task=pen"]
    assert again.seeds == (5, 6)
    assert found[0].config.env.kind == "door"


def test_a_point_of_one_experiment_is_what_the_command_would_run(tmp_path):
    file = tmp_path / "sac.json"
    file.write_text(json.dumps(SAC))
    (point,) = expanded(experiments={"sac": str(file)}, grid={"agent.alpha": [0.3]})
    alone = load_experiment(file, ["agent.alpha=0.3"])
    same = {"seed": alone.seed, "output_dir": alone.output_dir}
    assert point.config.model_copy(update=same) == alone
