from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.loading import load_experiment
from nppac_priors.errors import ConfigError


def problems(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load_experiment(path, overrides)
    return str(error.value).splitlines()


def test_a_file_becomes_typed_configs(experiment, experiment_file):
    config = load_experiment(experiment_file(experiment))
    assert (config.env.kind, config.prior.kind, config.agent.kind) == ("door", "exact-gp", "nppac")
    assert config.model_dump()["prior"]["rank"] == 2
    assert config.model_dump()["agent"]["policy_hidden"] == (32, 32)
    assert (config.training.env_steps, config.seed) == (100, 3)
    assert config.demonstrations.path == Path("demos.npz")


@pytest.mark.parametrize(
    ("given_dir", "expected"),
    [
        (None, "runs/door-seed3"),
        ("out/{seed}/{name}/{seed}", "out/3/door/3"),
        ("plain", "plain"),
    ],
)
def test_output_dir_is_filled_in(experiment, experiment_file, given_dir, expected):
    if given_dir is not None:
        experiment["output_dir"] = given_dir
    assert load_experiment(experiment_file(experiment)).output_dir == expected


def test_an_overridden_seed_reaches_output_dir(experiment, experiment_file):
    assert load_experiment(experiment_file(experiment), ["seed=7"]).output_dir.endswith("seed7")


def test_a_tilde_is_the_home_folder(experiment, experiment_file, monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    experiment["output_dir"] = "~/runs/{seed}"
    path = experiment_file(experiment)
    assert load_experiment(path).output_dir == "/home/someone/runs/3"
    assert load_experiment(path, ["output_dir=~/b"]).output_dir == "/home/someone/b"


@pytest.mark.parametrize(
    ("given_dir", "message"),
    [
        ("~nobody-of-this-name/a", "there is no user '~nobody-of-this-name'"),
        ("a\0b", "'a\\x00b' cannot be the name of a folder"),
        ("runs/{seed", "'{' and '}' may stand in {name} and {seed} only"),
    ],
)
def test_an_output_dir_that_cannot_be_made_is_refused(
    experiment, experiment_file, given_dir, message
):
    experiment["output_dir"] = given_dir
    (line,) = problems(experiment_file(experiment))
    assert f"output_dir: {message}" in line


def test_a_file_whose_name_would_be_filled_in_again_is_refused(experiment, tmp_path):
    path = tmp_path / "a{seed}b.json"
    path.write_text(json.dumps(experiment))
    (line,) = problems(path)
    assert "output_dir: '{' and '}' may stand in {name} and {seed} only" in line


def test_an_unknown_placeholder_is_refused(experiment, experiment_file):
    experiment["output_dir"] = "runs/{nam}"
    path = experiment_file(experiment)
    assert problems(path) == [
        f"{path}: output_dir: unknown placeholder '{{nam}}'; known: {{name}}, {{seed}}"
    ]


def test_overrides_take_json_or_else_a_string(experiment, experiment_file):
    config = load_experiment(
        experiment_file(experiment),
        [
            "agent.alpha=0.2",
            "agent.policy_hidden=[8, 4]",
            "agent.start=fresh",
            'device="cpu"',
            "evaluation.episodes=5",
            "demonstrations.path=a=b.npz",
            "agent.target_kl=2",
            "agent.target_kl=null",
        ],
    )
    agent = config.model_dump()["agent"]
    assert (agent["alpha"], agent["policy_hidden"], agent["start"]) == (0.2, (8, 4), "fresh")
    assert agent["target_kl"] is None
    assert (config.device, config.evaluation.episodes) == ("cpu", 5)
    assert config.demonstrations.path == Path("a=b.npz")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("agent.alpha", "has to read path.to.field=value"),
        ("=3", "has to read path.to.field=value"),
        ("agent..alpha=3", "has to read path.to.field=value"),
        ("seed.x=3", "seed is a number, not an object with fields; set it as a whole"),
        (
            "agent.policy_hidden.0=3",
            "agent.policy_hidden is a list, not an object with fields; set it as a whole",
        ),
        ("agent.kind.x=3", "agent.kind is a string, not an object with fields; set it as a whole"),
        ("agent.alpha=NaN", "NaN is not JSON; numbers have to be finite"),
        ("agent.alpha=1e999", "1e999 is beyond the largest number, about 1.8e308"),
        ("seed=" + "9" * 5000, "an integer of 5000 digits is too large; integers have to fit into"),
        ("device=\udcff", "is not UTF-8 text"),
        ('env={"kind": 1, "kind": 2}', "field 'kind' is given twice in one object; keep one"),
    ],
)
def test_an_override_that_cannot_be_applied(experiment, experiment_file, override, message):
    path = experiment_file(experiment)
    (line,) = problems(path, override)
    assert line.startswith(f"--set {override}: {message}".replace("\udcff", "\\udcff"))


def test_a_path_through_null_is_refused(experiment, experiment_file):
    experiment["prior"] = None
    (line,) = problems(experiment_file(experiment), "prior.kind=exact-gp")
    assert "prior is null, not an object" in line


def test_a_study_is_told_as_one(tmp_path):
    path = tmp_path / "family.json"
    path.write_text('{"experiments": {"a": "a.json"}, "seeds": "0:2"}')
    assert problems(path, "agent.alpha=1") == [
        f"{path}: is a study; nppac-run sweep runs it, and checks it with --dry-run"
    ]


def test_a_misspelt_override_is_named(experiment, experiment_file):
    path = experiment_file(experiment)
    (line,) = problems(path, "agent.alhpa=0.2")
    assert line.startswith(
        f"{path} with agent.alhpa=0.2: agent: unknown field 'alhpa' (did you mean 'alpha'?)"
    )


@pytest.mark.parametrize(
    ("override", "field", "mentions"),
    [
        ("env.kind=dor", "env", "unknown env kind 'dor' (did you mean 'door'?)"),
        ("prior.kind=gp", "prior", "unknown prior kind 'gp'"),
        ("agent.kind=npac", "agent", "unknown agent kind 'npac' (did you mean 'nppac'?)"),
        ("agent.kind=3", "agent", "string 'kind'"),
        ("agent=nppac", "agent", "string 'kind'"),
        ("env.rewrd=x", "env.rewrd", "unknown field"),
        ("env.reward=soft", "env.reward", "'sparse' or 'dense', got 'soft'"),
        ("prior.krnel=rbf", "prior", "did you mean 'kernel'?"),
        ("prior.steps=0", "prior.steps", "greater than or equal to 1, got 0"),
        ("prior.learning_rate=fast", "prior.learning_rate", "valid number"),
        ("agent.alpha=0", "agent.alpha", "greater than 0, got 0"),
        ("agent.gamma=1", "agent.gamma", "less than 1, got 1"),
        ("agent.policy_hidden=[8,0]", "agent.policy_hidden[1]", "equal to 1, got 0"),
        ("agent.policy_hidden=8", "agent.policy_hidden", "list"),
        ("demonstrations.source=minary", "demonstrations", "minary"),
        ("demonstrations.pth=x", "demonstrations.pth", "unknown field"),
        ("demonstrations.n_episodes=0", "demonstrations.n_episodes", "got 0"),
        ("demonstrations=null", "", "prior needs demonstrations"),
        ("trainin.env_steps=3", "", "unknown field 'trainin' (did you mean 'training'?)"),
        ("training=null", "training", "object"),
        ("training.env_steps=-1", "training.env_steps", "got -1"),
        ("training.env_steps=1.5", "training.env_steps", "got 1.5"),
        ("training.replay_capacity=1", "training", "replay_capacity 1 is below n_envs 8"),
        ("training.n_envs=true", "training.n_envs", "true is not the same as 1; write 1"),
        ("logging.tensorboard=0", "logging.tensorboard", "0 is not the same as false"),
        ('agent.alpha="0.5"', "agent.alpha", '"0.5" is not the same as 0.5; write 0.5'),
        ('agent.policy_hidden=["8"]', "agent.policy_hidden[0]", '"8" is not the same as 8'),
        ("evaluation.episodes=many", "evaluation.episodes", "got 'many'"),
        ("evaluation.first_seed=9951", "evaluation", "reach into the reporting starts"),
        ("evaluation.reporting_episodes=-1", "evaluation.reporting_episodes", "got -1"),
        ("logging.tensorboard=maybe", "logging.tensorboard", "got 'maybe'"),
        ("seed=2147483648", "seed", "less than 2147483648"),
        ("device=tpu", "device", "got 'tpu'"),
        ("output_dir=3", "output_dir", "valid string"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_field(
    experiment, experiment_file, override, field, mentions
):
    path = experiment_file(experiment)
    (line,) = problems(path, override)
    prefix = f"{path} with {override}: {field}: " if field else f"{path} with {override}: "
    assert line.startswith(prefix)
    assert mentions in line


def test_every_problem_has_its_line(experiment, experiment_file):
    experiment["agent"]["alpha"] = 0
    experiment["env"]["kind"] = "dor"
    experiment["device"] = "tpu"
    path = experiment_file(experiment)
    lines = problems(path)
    assert [line.split(": ")[1] for line in lines] == ["env", "agent.alpha", "device"]
    assert all(line.startswith(f"{path}: ") for line in lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, column 1: not JSON: Expecting value"),
        (b'{\n  "seed": 3,,\n}', "line 2, column 13: not JSON: "),
        (b'{"seed": 3} x', "line 1, column 13: not JSON: Extra data"),
        (b'{"env": {"kind": "door"}, "env": 3}', "field 'env' is given twice in one object"),
        (b'{"seed": NaN}', "seed: NaN is not JSON"),
        (b'{"seed": -Infinity}', "seed: -Infinity is not JSON"),
        (b'{"agent": {"target_kl": 1e400}}', "agent.target_kl: 1e400 is beyond the largest"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "seed: an integer of 5000 digits is too large"),
        (b"[1, 2]", "has to hold a JSON object, got a list"),
        (b"null", "has to hold a JSON object, got null"),
        (b"true", "has to hold a JSON object, got a boolean"),
        (b'{"seed": "\xff"}', "not UTF-8 text: byte 10"),
        (b"[" * 100_000, "not JSON: nested too deeply"),
    ],
)
def test_a_broken_file(tmp_path, content, message):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    (line,) = problems(path)
    assert line.startswith(f"{path}: {message}")


def test_a_byte_order_mark_is_fine(experiment, tmp_path):
    path = tmp_path / "door.json"
    path.write_text(json.dumps(experiment), encoding="utf-8-sig")
    assert load_experiment(path).seed == 3


def test_a_missing_file_a_folder_and_a_pipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert problems(Path("no.json")) == [f"no.json: no such file in {tmp_path}"]
    os.mkfifo("pipe")
    for path in (tmp_path, Path("pipe")):
        assert problems(path) == [f"{path}: is no regular file"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
# fmt: off
FIELDS = (
    "env", "env.kind", "env.horizon", "demonstrations", "demonstrations.source",
    "demonstrations.path", "demonstrations.fields", "prior", "prior.kernel", "prior.rank",
    "agent", "agent.alpha", "agent.policy_hidden", "agent.kl_estimator", "training",
    "evaluation.every", "logging", "seed", "device", "output_dir", "$schema", "nothing",
)
# fmt: on


@pytest.mark.medium
@given(field=st.sampled_from(FIELDS), value=json_values)
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_value_anywhere_is_valid_or_one_line_per_problem(
    experiment, experiment_file, field, value
):
    path = experiment_file(experiment)
    override = f"{field}={json.dumps(value)}"
    try:
        config = load_experiment(path, [override])
    except ConfigError as error:
        where = f"{path} with {override}: ", f"--set {override}: "
        strays = [line for line in str(error).split("\n") if not line.startswith(where)]
    else:
        again = ExperimentConfig.model_validate(config.model_dump(mode="json", by_alias=True))
        strays = [] if again == config else [again]
    assert strays == []


@given(content=st.binary(max_size=60))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused_in_one_line(tmp_path, content):
    path = tmp_path / "any.json"
    path.write_bytes(content)
    for line in problems(path):
        assert line.startswith(f"{path}: ")
