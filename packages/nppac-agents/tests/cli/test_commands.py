from __future__ import annotations

import importlib.metadata
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from nppac_priors.cli.exit_code import ExitCode

pytestmark = pytest.mark.medium

HEAVY = {"torch", "tianshou", "gpytorch", "pyro", "mujoco", "minari", "matplotlib", "rich"}


@pytest.mark.parametrize("argv", [[], ["--help"]])
def test_help_shows_examples_commands_and_exit_codes(nppac_run, argv):
    result = nppac_run(*argv)
    assert (result.code, result.err) == (0, [])
    for word in (
        "--set",
        "train",
        "evaluate",
        "record",
        "validate",
        "plugins",
        "schema",
        "report",
        "compare",
        "examples:",
    ):
        assert word in result.out
    codes = result.out.split("exit codes:")[1].split()
    assert all(str(code.value) in codes for code in ExitCode)


COMMANDS = [
    "validate",
    "kinds",
    "plugins",
    "schema",
    "report",
    "compare",
    "train",
    "extend",
    "evaluate",
    "record",
    "sweep",
    "status",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(nppac_run, command):
    result = nppac_run(command, "--help")
    assert result.code == 0
    assert result.out.startswith(f"usage: nppac-run {command}")


@pytest.mark.parametrize("command", ["evaluate", "record", "video", "export"])
def test_help_names_the_policies_that_a_command_takes(nppac_run, command):
    """An export of the prior alone is refused, since that is a file already."""
    lines = nppac_run(command, "--help").out.splitlines()
    policies = [line.split()[0] for line in lines if line.startswith("  ") and line[2:3].isalpha()]
    taken = ["best", "last", *(["prior"] if command != "export" else []), "NAME"]
    assert [name for name in policies if name in {"best", "last", "prior", "NAME"}] == taken


def test_an_unknown_word_is_an_unknown_command_and_a_missing_file_a_missing_file(nppac_run):
    result = nppac_run("evalute", "runs/x")
    assert result.code == 2
    (line,) = result.err
    assert line.startswith("error: unknown command 'evalute' (did you mean evaluate?); commands: ")
    assert all(command in line for command in COMMANDS)
    for missing in ("door.json", "examples/door"):
        (line,) = nppac_run(missing).err
        assert line.startswith(f"error: {missing}: no such file")


def test_train_is_the_long_form(nppac_run, runs, config):
    assert nppac_run("train", config, "--seed", "4").code == 0
    assert nppac_run(config, "--seed", "5").code == 0
    assert [call["config"].seed for call in runs] == [4, 5]


def test_a_file_without_a_suffix_is_still_a_file(nppac_run, runs, config, tmp_path):
    config.rename(tmp_path / "plan")
    assert nppac_run("plan").code == 0


def test_extend_resumes_the_runs_own_experiment_with_more_steps(nppac_run, runs, config):
    assert nppac_run(config).code == 0
    steps = runs[0]["config"].training.env_steps
    argv = ["extend", "runs/door-seed3", "--set", "evaluation.every=77", "--env-steps"]
    assert nppac_run(*argv, steps + 1).code == 0
    extended = runs[1]
    assert extended["resume"] is True
    assert extended["config"].training.env_steps == steps + 1
    assert extended["config"].evaluation.every == 77
    assert extended["run_dir"].path == Path("runs/door-seed3")
    (line,) = nppac_run(*argv, steps).err
    assert f"is a run of {steps:,} environment steps; --env-steps has to be above" in line


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--episodes", "0"], "argument --episodes: has to be a whole number from 1 up, got '0'"),
        (["--first-seed", "x"], "argument --first-seed: has to be a whole number from 0 up"),
        ([], "none/config.json: no such file"),
    ],
)
def test_evaluate_refuses_in_a_line(nppac_run, argv, problem):
    result = nppac_run("evaluate", "none", *argv)
    assert result.code == 2
    (line,) = result.err
    assert problem in line


def test_validate_checks_every_file(nppac_run, config):
    bad = config.with_name("bad.json")
    bad.write_text('{"env": {"kind": "dor"}, "agent": {"kind": "nppac", "alpha": 0}}')
    result = nppac_run("validate", bad, config, "missing.json")
    assert result.code == 2
    assert result.out == f"{config}: valid\n"
    errors = [line.split(": ")[1] for line in result.err if line.startswith("error: ")]
    assert errors == [str(bad), str(bad), "missing.json"]
    assert nppac_run("validate", config).code == 0


def test_what_set_replaces_is_checked_too(nppac_run, config):
    assert nppac_run("validate", config, "--set", "training.env_steps=7").code == 0
    result = nppac_run("validate", config, "--set", "training.env_steps=-7")
    assert result.code == 2
    (line,) = result.err
    assert "training.env_steps" in line


DOOR = {"env": {"kind": "door"}, "demonstrations": {"source": "shipped", "name": "door"}}
DOR = {"source": "shipped", "name": "dor"}
CVAE = {"kind": "cvae"}
FLOOR = {"kind": "variance-floor", "min_std": 0.1}


@pytest.mark.parametrize(
    ("experiment", "problem"),
    [
        (DOOR | {"agent": {"kind": "nppac"}}, "agent: 'nppac' needs a prior with a mean and"),
        (DOOR | {"agent": {"kind": "sac"}, "prior": {"kind": "exact-gp"}}, "prior: agent 'sac'"),
        (
            {"env": {"kind": "door"}, "agent": {"kind": "rlpd"}},
            "agent: 'rlpd' needs demonstrations",
        ),
        (DOOR | {"env": None, "agent": {"kind": "sac"}}, "env: agent 'sac' interacts with an envi"),
        (
            DOOR | {"demonstrations": DOR, "agent": {"kind": "bc"}},
            "demonstrations.name: no demonstrations ship under 'dor'; there are: 'ant', 'door'",
        ),
        (
            DOOR | {"agent": {"kind": "nppac"}, "prior": CVAE},
            "agent: 'nppac' needs a prior with a mean and a standard deviation, got 'cvae'",
        ),
        (
            DOOR
            | {"agent": {"kind": "nppac", "start": "fresh", "kl_estimator": "analytic"}}
            | {"prior": CVAE},
            "agent: 'nppac' needs a prior with a mean and a standard deviation, got 'cvae'",
        ),
        (
            DOOR
            | {"agent": {"kind": "nppac", "rollout_steps": 500, "prior_rounds": 2}}
            | {"prior": {"kind": "exact-gp"}, "training": {"env_steps": 1000}},
            "agent: its rollouts take 1,000 environment steps, training.env_steps are 1,000 in all",
        ),
        (
            DOOR | {"agent": {"kind": "sac"}, "training": {"env_steps": 1000}},
            "training: the first 1,000 environment steps earn no update (start_steps), env_steps "
            "are 1,000 in all",
        ),
        (
            {"env": {"kind": "hopper"}, "agent": {"kind": "sac"}}
            | {"evaluation": {"select_by": "success_ever"}},
            "evaluation.select_by: hopper has no success, so no 'success_ever'",
        ),
        (
            DOOR
            | {"agent": {"kind": "awr", "steps_per_update": 101}}
            | {"training": {"n_envs": 4, "replay_capacity": 103}},
            "training: replay_capacity 103 is below the 104 steps that one update of agent 'awr' "
            "takes from 4 environments",
        ),
        (
            DOOR | {"agent": {"kind": "nppac"}, "prior": FLOOR | {"prior": CVAE}},
            "prior: variance-floor: needs a Gaussian prior, which 'cvae' is not",
        ),
        (
            {"env": {"kind": "gymnasium", "id": "Pendulm-v1"}, "agent": {"kind": "sac"}},
            "env.id: 'Pendulm-v1': NameNotFound: Environment `Pendulm` doesn't exist. Did you mean",
        ),
        (
            {"env": {"kind": "Pendulum-v1"}, "agent": {"kind": "sac"}},
            "env: unknown env kind 'Pendulum-v1'; if that is Gymnasium's, write "
            '{"kind": "gymnasium", "id": "Pendulum-v1"}; known: ant',
        ),
        (
            {"env": {"kind": "gymnasium", "id": "no_such_lab:Arm-v0"}, "agent": {"kind": "sac"}},
            "env.id: there is no module 'no_such_lab' among what is installed or on PYTHONPATH; ",
        ),
        (
            DOOR | {"env": {"kind": "pen"}, "agent": {"kind": "bc"}},
            "demonstrations: shipped door is of the task 'door', env is 'pen'; use demonstrations",
        ),
        (
            {"env": {"kind": "walker2d"}, "agent": {"kind": "bc"}}
            | {"demonstrations": {"source": "shipped", "name": "halfcheetah"}},
            "demonstrations: shipped halfcheetah is of the task 'halfcheetah', env is 'walker2d'",
        ),
        (
            {"env": {"kind": "ant"}, "agent": {"kind": "bc"}}
            | {"demonstrations": {"source": "shipped", "name": "ant"}},
            "demonstrations: shipped ant has 27 state and 8 action dimensions, env 'ant' has 105 "
            "and 8; use demonstrations of this task",
        ),
        (
            DOOR
            | {"demonstrations": DOOR["demonstrations"] | {"n_episodes": 26}}
            | {"agent": {"kind": "bc"}},
            "demonstrations: n_episodes is 26, but there are 25 episodes",
        ),
        (
            DOOR
            | {"demonstrations": {"source": "npz", "path": "x.npz", "action_range": [1, -1]}}
            | {"agent": {"kind": "bc"}},
            "demonstrations: action_range must be lowest first, got 1.0 and -1.0",
        ),
        (
            DOOR | {"env": {"kind": "door", "reward": "dense"}, "agent": {"kind": "sacfd"}},
            "agent: 'sacfd' learns from rewards, and those of shipped door under this task's",
        ),
        (
            {"env": {"kind": "hopper"}, "agent": {"kind": "iql"}}
            | {"demonstrations": {"source": "npz", "path": "x.npz", "drop_rewards": True}},
            "agent: 'iql' learns from rewards, and those of npz x.npz under this task's",
        ),
        (
            DOOR
            | {"agent": {"kind": "awr", "steps_per_update": 2048}}
            | {"training": {"n_envs": 8, "env_steps": 2040}},
            "training: agent 'awr' takes 2,048 environment steps for an update, env_steps are 2,04",
        ),
    ],
)
def test_validate_finds_what_no_data_could_make_run(nppac_run, tmp_path, experiment, problem):
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps(experiment))
    result = nppac_run("validate", path)
    assert result.code == 2
    (line,) = result.err
    assert line.startswith(f"error: {path}: {problem}")


@pytest.mark.parametrize(
    "experiment",
    [
        DOOR | {"agent": {"kind": "nppac", "start": "fresh"}, "prior": CVAE},
        {"env": {"kind": "gymnasium", "id": "antigravity:Arm-v0"}, "agent": {"kind": "sac"}},
        DOOR | {"env": {"kind": "gymnasium", "id": "nppac/Door-v0"}, "agent": {"kind": "sacfd"}},
        DOOR
        | {"env": {"kind": "door", "reward": "dense"}, "agent": {"kind": "dapg"}}
        | {"training": {"env_steps": 0}},
        DOOR
        | {"demonstrations": DOOR["demonstrations"] | {"drop_rewards": True}}
        | {"agent": {"kind": "sacfd"}},
        DOOR
        | {"agent": {"kind": "awr", "steps_per_update": 2048}}
        | {"training": {"n_envs": 8, "env_steps": 2041}},
        DOOR | {"agent": {"kind": "sac"}, "training": {"n_envs": 7, "env_steps": 1000}},
        DOOR | {"agent": {"kind": "awac"}, "training": {"env_steps": 500}},
        DOOR | {"agent": {"kind": "awr", "offline_updates": 9}} | {"training": {"env_steps": 500}},
    ],
)
def test_what_may_run_is_valid(nppac_run, tmp_path, experiment):
    """A log-density is enough for a sampled divergence; what a module registers is not known.

    Steps are rounded up to whole steps of all environments, and without interaction is learned too.
    """
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps(experiment))
    result = nppac_run("validate", path)
    assert (result.code, result.err) == (0, [])
    assert "antigravity" not in sys.modules


def test_validate_tells_all_that_does_not_go_together(nppac_run, tmp_path):
    path = tmp_path / "experiment.json"
    path.write_text(
        json.dumps(
            {"env": {"kind": "hopper"}, "agent": {"kind": "nppac"}}
            | {"demonstrations": DOOR["demonstrations"], "training": {"env_steps": 10}}
            | {"evaluation": {"select_by": "success_ever"}}
        )
    )
    result = nppac_run("validate", path)
    fields = [line.removeprefix(f"error: {path}: ").split(":")[0] for line in result.err]
    assert fields == ["agent", "demonstrations", "training", "evaluation.select_by"]


def test_validate_warns_of_a_device_that_is_not_here(nppac_run, tmp_path, monkeypatch):
    """The experiment may be meant for another machine."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = tmp_path / "experiment.json"
    for device, warned in {"cuda": 1, "auto": 0, "cpu": 0}.items():
        path.write_text(json.dumps(DOOR | {"agent": {"kind": "bc"}, "device": device}))
        result = nppac_run("validate", path)
        assert (result.code, result.out) == (0, f"{path}: valid\n")
        line = f"warning: {path}: device: 'cuda' is not available here; use 'auto' or 'cpu'"
        assert result.err == [line] * warned


def test_validate_warns_of_files_that_are_not_there_and_in_which_folder(nppac_run, tmp_path):
    path = tmp_path / "experiment.json"
    experiment = DOOR | {"agent": {"kind": "nppac"}}
    file = {"kind": "file", "path": "prior.safetensors"}
    data = {"source": "npz", "path": "data.npz"}
    path.write_text(
        json.dumps(experiment | {"demonstrations": data, "prior": FLOOR | {"prior": file}})
    )
    result = nppac_run("validate", path)
    assert (result.code, result.out) == (0, f"{path}: valid\n")
    assert result.err == [
        f"warning: {path}: npz data.npz: no such file in {tmp_path}",
        f"warning: {path}: prior.safetensors: no such file in {tmp_path}",
    ]
    for name in ("data.npz", "prior.safetensors"):
        (tmp_path / name).touch()
    assert nppac_run("validate", path).err == []


def test_what_learns_from_demonstrations_alone_is_valid_without_an_environment(nppac_run, tmp_path):
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps(DOOR | {"env": None, "agent": {"kind": "bc"}}))
    assert nppac_run("validate", path).code == 0
    path.write_text(
        json.dumps(DOOR | {"env": None, "agent": {"kind": "iql"}, "training": {"env_steps": 0}})
    )
    assert nppac_run("validate", path).code == 0


def test_validate_looks_whether_a_logger_can_be_opened(nppac_run, config, monkeypatch):
    missing = {"loggers": [{"kind": "trackio"}]}
    config.write_text(json.dumps({**json.loads(config.read_text()), "logging": missing}))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = nppac_run("validate", config)
    assert result.code == 2
    assert result.err == [
        f"error: {config}: logging.loggers: trackio is not installed: pip install "
        "'nppac-agents[trackio]'"
    ]


def test_schema_goes_to_a_file_or_to_the_output(nppac_run):
    printed = nppac_run("schema")
    assert nppac_run("schema", "--output", "x.json").code == 0
    assert Path("x.json").read_text() == printed.out
    assert json.loads(printed.out)["title"] == "nppac experiment"
    result = nppac_run("schema", "--output", "no/such/folder.json")
    assert (result.code, result.err) == (
        1,
        ["error: no/such/folder.json: No such file or directory"],
    )


def test_kinds_lists_what_there_is_and_the_fields_of_one(nppac_run):
    listed = nppac_run("kinds").out.splitlines()
    assert listed[0].split() == ["of", "kind", "what"]
    assert any(line.split()[:2] == ["agent", "nppac"] for line in listed)
    assert any(line.split()[:2] == ["logger", "tensorboard"] for line in listed)
    assert not any(line.startswith("prior") for line in listed)
    assert max(map(len, listed)) <= 80
    fields = nppac_run("kinds", "nppac").out.splitlines()
    assert fields[0].split() == ["field", "default", "meaning"]
    assert any(line.split()[:2] == ["batch_size", "256"] for line in fields)
    assert max(map(len, fields)) <= 80
    wrong = nppac_run("kinds", "nppa")
    assert wrong.code == ExitCode.INVALID
    assert "unknown kind 'nppa' (did you mean 'nppac'?)" in wrong.err[0]


def test_what_runs_nothing_imports_nothing_heavy(config):
    code = (
        "import sys\n"
        "from nppac_agents.cli import main\n"
        f"for argv in (['--help'], ['plugins'], ['schema'], ['validate', {str(config)!r}]):\n"
        "    try: code = main(argv)\n"
        "    except SystemExit as stop: code = stop.code\n"
        f"    print(code, *({HEAVY!r} & sys.modules.keys()), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    codes = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    assert codes == ["0"] * 4


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("nppac_agents", "nppac-agents "),
        ("nppac_priors", "nppac-priors "),
        ("nppac_envs", "nppac-envs "),
    ],
)
def test_every_command_tells_its_version(monkeypatch, capsys, module, said):
    monkeypatch.setattr(sys, "argv", ["x", "--version"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module(module, run_name="__main__")
    assert stop.value.code == 0
    version = importlib.metadata.version(said.strip())
    assert capsys.readouterr().out.startswith(said + version)


def test_a_reader_that_leaves_gets_no_traceback():
    command = f"{sys.executable} -m nppac_agents schema | true"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")


def test_record_needs_a_finished_run_and_an_output(nppac_run, tmp_path):
    missing = nppac_run("record", tmp_path / "none", "--output", "x.npz")
    assert missing.code == 2
    assert len(missing.err) == 1
    assert "none" in missing.err[0]
    assert nppac_run("record", tmp_path).code == 2
