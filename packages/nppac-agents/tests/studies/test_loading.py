from __future__ import annotations

import json
from pathlib import Path

import pytest
from nppac_agents.studies.loading import axis, executor, field, load_study, seeds
from nppac_priors.errors import ConfigError

SAC = {"env": {"kind": "door"}, "agent": {"kind": "sac"}}


@pytest.fixture
def study(tmp_path):
    def load(data, **options):
        path = tmp_path / "mine.json"
        path.write_text(json.dumps(data))
        return load_study(path, options)

    return load


def test_a_plain_experiment_is_a_study_of_one(study, tmp_path):
    found = study(SAC, seeds="0:3", grid={"agent.alpha": [0.1, 0.4]})
    assert found.experiments == {"mine": str(tmp_path / "mine.json")}
    assert (found.seeds, found.grid) == ((0, 1, 2), {"agent.alpha": [0.1, 0.4]})
    assert found.output_dir == "runs/mine"


def test_options_add_to_grid_and_set_and_replace_the_rest(study):
    data = {
        "experiments": {"sac": SAC},
        "grid": {"a.b": [1]},
        "set": {"seed": 1, "device": "cpu"},
        "seeds": [4],
        "executor": {"kind": "local", "threads": 2},
        "budgets": {"small": {}},
    }
    found = study(
        data, grid={"c": [2]}, set={"seed": 2}, seeds=[5], executor={"kind": "local"},
        budget="small", failures=7,
    )  # fmt: skip
    assert found.grid == {"a.b": [1], "c": [2]}
    assert found.set == {"seed": 2, "device": "cpu"}
    assert (found.seeds, found.failures) == ((5,), 7)
    assert found.executor.model_dump()["threads"] == 1
    assert found.output_dir == "runs/mine-small"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"experiments": {}}, "experiments"),
        ({"experiments": {"../up": SAC}}, "cannot name a folder"),
        ({"grid": {"task": {"a/b": {}}}}, "cannot name a folder"),
        ({"grid": {"x": []}}, "grid.x: has no values"),
        ({"grid": {"seed": [1]}}, "grid.seed: is an axis of every study"),
        ({"seeds": [1, 1]}, "one is given twice"),
        ({"seeds": "3:3"}, "has to read FIRST:END"),
        ({"seeds": []}, "seeds"),
        ({"budget": "huge"}, "budget 'huge' is unknown; known: none"),
        ({"executor": {"kind": "slurn"}}, "unknown executor kind 'slurn'"),
        ({"executor": {"kind": "local", "cpus": 1}}, "executor: unknown field 'cpus'"),
        ({"failure": 1}, "unknown field 'failure' \\(did you mean 'failures'\\?\\)"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(study, fields, told):
    with pytest.raises(ConfigError, match=told) as caught:
        study({"experiments": {"sac": SAC}, **fields})
    assert "mine.json: " in str(caught.value)


def test_words_of_the_command_line():
    assert axis("agent.alpha=0.1,0.4") == ("agent.alpha", [0.1, 0.4])
    assert axis("env.kind=door,pen") == ("env.kind", ["door", "pen"])
    assert axis("agent.hidden=[8,8],[16]") == ("agent.hidden", [[8, 8], [16]])
    assert field("agent.alpha=0.1") == ("agent.alpha", 0.1)
    assert field("env.kind=door") == ("env.kind", "door")
    assert (seeds("0:6"), seeds("7,3")) == ("0:6", [7, 3])
    assert executor("local") == {"kind": "local"}
    assert executor("local,threads=2,x=y") == {"kind": "local", "threads": 2, "x": "y"}


@pytest.mark.parametrize(
    ("read", "text"),
    [(axis, "alpha"), (axis, "alpha="), (axis, "a..b=1"), (field, "a"), (seeds, "1-3"),
     (seeds, ""), (executor, ""), (executor, "local,2")],
)  # fmt: skip
def test_other_words_are_refused(read, text):
    with pytest.raises(ConfigError, match="has to read"):
        read(text)


def test_paths_below_the_home_are_found(study):
    found = study({"experiments": {"sac": SAC}, "output_dir": "~/studies/x"})
    assert found.output_dir == str(Path("~/studies/x").expanduser())
