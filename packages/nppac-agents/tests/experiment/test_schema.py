from __future__ import annotations

import io
import json
from contextlib import redirect_stdout

import jsonschema
import pytest
from fresh_registries import fresh_registries
from nppac_agents.cli import main

pytestmark = pytest.mark.medium


@pytest.fixture(scope="module")
def builtin_schema() -> str:
    """The schema without any installed plugin, as `nppac-run schema` prints it."""
    return printed("schema")


@pytest.fixture(scope="module")
def study_schema() -> str:
    """The same of study files."""
    return printed("schema", "--study")


def printed(*argv: str) -> str:
    """What the command prints where no plugins are let in."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, fresh_registries(), redirect_stdout(out):
        patch.setenv("NPPAC_PLUGINS", "")
        assert main(argv) == 0
    return out.getvalue()


def valid(schema: str, data: object) -> bool:
    return jsonschema.Draft202012Validator(json.loads(schema)).is_valid(data)


def errors(schema: str, data: object) -> dict[tuple[str | int, ...], str]:
    """Messages by the path of what is wrong."""
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    return {tuple(error.absolute_path): error.message for error in validator.iter_errors(data)}


def test_it_is_a_schema(builtin_schema):
    jsonschema.Draft202012Validator.check_schema(json.loads(builtin_schema))


def test_the_committed_schema_is_current(builtin_schema, repository):
    committed = (repository / "schema" / "experiment.schema.json").read_text(encoding="utf-8")
    assert committed == builtin_schema, (
        "run NPPAC_PLUGINS= nppac-run schema --output schema/experiment.schema.json"
    )


def test_it_accepts_a_valid_experiment(builtin_schema, experiment):
    assert valid(builtin_schema, experiment)
    assert valid(builtin_schema, {**experiment, "$schema": "x.json", "prior": None})


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("env", {"kind": "dor"}),
        ("env", {"reward": "soft"}),
        ("env", {"rewrd": "binary"}),
        ("demonstrations", {"source": "minary"}),
        ("prior", {"kernel": "linear"}),
        ("prior", {"steps": 0}),
        ("agent", {"alpha": 0}),
        ("agent", {"alpha": "0.1"}),
        ("agent", {"alhpa": 0.1}),
        ("training", {"n_envs": 0}),
        ("logging", {"frames": -1}),
    ],
)
def test_it_refuses_what_validation_refuses(builtin_schema, experiment, section, change):
    experiment[section] = {**experiment.get(section, {}), **change}
    assert not valid(builtin_schema, experiment)


@pytest.mark.parametrize("section", ["env", "prior", "agent"])
def test_a_component_needs_its_kind(builtin_schema, experiment, section):
    del experiment[section]["kind"]
    assert errors(builtin_schema, experiment) == {(section,): "'kind' is a required property"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("env", "reward"), "soft"),
        (("prior", "steps"), 0),
        (("agent", "alpha"), "0.1"),
        (("training", "n_envs"), 0),
        (("demonstrations", "source"), "minary"),
        (("agent", "kind"), "npac"),
    ],
)
def test_an_error_is_at_the_field_that_is_wrong(builtin_schema, experiment, path, value):
    section, field = path
    experiment.setdefault(section, {})[field] = value
    assert list(errors(builtin_schema, experiment)) == [path]


def test_a_field_within_a_prior_of_priors_is_named(builtin_schema, experiment):
    inner = {"kind": "exact-gp", "kernel": "linear"}
    experiment["prior"] = {"kind": "variance-floor", "min_std": 0.1, "prior": inner}
    assert list(errors(builtin_schema, experiment)) == [("prior", "prior", "kernel")]


def test_a_field_of_another_kind_is_unknown_to_this_one(builtin_schema, experiment):
    experiment["agent"] = {"kind": "bc", "alpha": 0.1}
    (message,) = errors(builtin_schema, experiment).values()
    assert "'alpha' was unexpected" in message


STUDY = {
    "experiments": {"sac": {"agent": {"kind": "sac"}}, "file": "examples/door-nppac.json"},
    "seeds": "0:6",
    "grid": {"agent.alpha": [0.1, 0.4], "task": {"door": {"env.kind": "door"}}},
    "executor": {"kind": "local", "processes": 2},
}


def test_the_committed_schema_of_studies_is_current(study_schema, repository):
    jsonschema.Draft202012Validator.check_schema(json.loads(study_schema))
    committed = (repository / "schema" / "study.schema.json").read_text(encoding="utf-8")
    assert committed == study_schema, (
        "run NPPAC_PLUGINS= nppac-run schema --study --output schema/study.schema.json"
    )


def test_every_study_of_the_project_names_its_schema_and_fits_it(study_schema, repository):
    for path in (repository / "studies").glob("*.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        assert data["$schema"] == "../schema/study.schema.json"
        assert valid(study_schema, data), path.name
    assert valid(study_schema, STUDY)


@pytest.mark.parametrize(
    "change",
    [
        {"experiments": {}},
        {"experiment": {}},
        {"seeds": [-1]},
        {"seeds": "all"},
        {"grid": {"agent.alpha": 0.1}},
        {"executor": {"kind": "locl"}},
        {"executor": {"kind": "slurm", "threads": 0}},
        {"executor": {"kind": "ray", "adress": "auto"}},
        {"failures": 0},
    ],
)
def test_it_refuses_what_no_study_may_say(study_schema, change):
    assert not valid(study_schema, {**STUDY, **change})


@pytest.mark.parametrize("which", ["builtin_schema", "study_schema"])
def test_every_field_is_described(which, request):
    schema = json.loads(request.getfixturevalue(which))
    for name, model in {"experiment": schema, **schema["$defs"]}.items():
        for field, value in model.get("properties", {}).items():
            assert value.get("description") or field == "kind", f"{name}.{field}"
