from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
from nppac_priors.cli.exit_code import ExitCode

pytestmark = pytest.mark.medium

HEAVY = {"torch", "tianshou", "gpytorch", "pyro", "mujoco", "minari", "matplotlib", "rich"}


def start(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nppac_agents", *argv],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def with_path(folder: str) -> str:
    """`PYTHONPATH` with a folder in front."""
    return os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])


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


def test_every_package_and_command_tells_its_version(nppac_run):
    for module, package in (("agents", "nppac-agents"), ("priors", ""), ("envs", "")):
        command = [sys.executable, "-m", f"nppac_{module}", "--version"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        version = importlib.metadata.version(f"nppac-{module}")
        assert out.startswith(f"{package or f'nppac-{module}'} {version}")


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
    assert [line.split(": ")[1] for line in result.err] == [str(bad), str(bad), "missing.json"]
    assert nppac_run("validate", config).code == 0


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


def test_plugins_as_json_and_as_a_table(nppac_run):
    rows = json.loads(nppac_run("plugins", "--json").out)
    door = next(row for row in rows if row["kind"] == "door")
    assert door == {
        "what": "env",
        "kind": "door",
        "class": "nppac_envs.adroit.config.DoorConfig",
        "distribution": "nppac-envs",
        "version": door["version"],
        "status": "loaded",
        "error": None,
    }
    assert {"env", "prior", "agent", "logger", "executor"} == {row["what"] for row in rows}
    lines = nppac_run("plugins").out.splitlines()
    assert lines[0].split() == ["what", "kind", "distribution", "version", "status", "class"]
    assert any(line.split()[:3] == ["agent", "nppac", "nppac-agents"] for line in lines)


def test_a_broken_plugin_is_listed_and_costs_nobody_else(plugin_folder):
    folder = plugin_folder("nppac.agents", "acme-agents", "acme", "import no_such_module")
    result = start("plugins", "--json", PYTHONPATH=str(folder))
    assert result.returncode == 0
    rows = json.loads(result.stdout)
    (broken,) = [row for row in rows if row["status"] == "broken"]
    assert broken == {
        "what": "agent",
        "kind": None,
        "class": None,
        "distribution": "acme-agents",
        "version": "1.5",
        "status": "broken",
        "error": "ModuleNotFoundError: No module named 'no_such_module'",
    }
    assert "nppac" in {row["kind"] for row in rows}
    table = start("plugins", PYTHONPATH=str(folder)).stdout
    assert "acme-agents 1.5: ModuleNotFoundError: No module named 'no_such_module'" in table


def rows_of(result: subprocess.CompletedProcess[str]) -> list[dict[str, str]]:
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "group",
    [
        pytest.param("nppac.agents", marks=pytest.mark.slow),
        pytest.param("nppac.envs", marks=pytest.mark.slow),
        "nppac.priors",
    ],
)
def test_a_plugin_that_prints_and_exits_when_imported_costs_nobody_else(plugin_folder, group):
    source = "import os, sys\nprint('noise'); os.write(1, b'more noise'); sys.exit()"
    path = str(plugin_folder(group, "acme-things", "acme", source))
    listed = start("plugins", "--json", PYTHONPATH=with_path(path))
    (broken,) = [row for row in rows_of(listed) if row["status"] == "broken"]
    assert (broken["distribution"], broken["version"]) == ("acme-things", "1.5")
    assert broken["error"] == "SystemExit"
    assert "noise" in listed.stderr
    schema = start("schema", PYTHONPATH=with_path(path))
    assert json.loads(schema.stdout)["title"] == "nppac experiment"
    assert "acme-things 1.5 (SystemExit)" in schema.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NPPAC_WITHOUT_PLUGINS", "Acme_Things"),
        pytest.param("NPPAC_PLUGINS", "", marks=pytest.mark.slow),
    ],
)
def test_a_plugin_that_hangs_when_imported_can_be_left_out(plugin_folder, config, name, value):
    source = "import time\nwhile True: time.sleep(1)"
    path = str(plugin_folder("nppac.agents", "acme-things", "acme", source))
    environment = {"PYTHONPATH": with_path(path), name: value}
    rows = rows_of(start("plugins", "--json", **environment))
    (left_out,) = [row for row in rows if row["status"] == "left out"]
    assert left_out == {
        "what": "agent",
        "kind": None,
        "class": None,
        "distribution": "acme-things",
        "version": "1.5",
        "status": "left out",
        "error": f"{name} {'names it' if value else 'does not name it'}",
    }
    assert start("validate", str(config), **environment).returncode == 0


def test_help_tells_how_to_leave_a_plugin_out(nppac_run):
    assert "NPPAC_WITHOUT_PLUGINS" in nppac_run("plugins", "--help").out


def test_a_plugin_problem_has_its_exit_code(plugin_folder, config):
    folder = plugin_folder("nppac.agents", "acme-agents", "acme", "import no_such_module")
    path = str(config)
    strict = start("validate", path, PYTHONPATH=str(folder), NPPAC_STRICT_PLUGINS="1")
    assert strict.returncode == 3
    (line,) = strict.stderr.splitlines()
    assert line.startswith("error: plugin 'acme' of group 'nppac.agents' failed to load: acme")
    lenient = start("validate", path, PYTHONPATH=str(folder))
    assert (lenient.returncode, lenient.stdout) == (0, f"{path}: valid\n")
    (line,) = lenient.stderr.splitlines()
    assert line.startswith("warning: plugin 'acme' of group 'nppac.agents' failed to load")


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


def test_a_kind_that_two_plugins_provide_is_a_plugin_problem(plugin_folder, config):
    source = (
        "from typing import Literal\n"
        "from nppac_agents.methods.base import Method\n"
        "from nppac_agents.hookspecs import hookimpl\n"
        "class Mine(Method):\n"
        "    kind: Literal['nppac'] = 'nppac'\n"
        "    def parts(self, *a): ...\n    def update(self, *a): ...\n"
        "@hookimpl\n"
        "def nppac_agent_configs(): return [Mine]\n"
    )
    folder = plugin_folder("nppac.agents", "acme-agents", "acme", source)
    result = start("validate", str(config), PYTHONPATH=str(folder))
    assert result.returncode == 3
    (line,) = result.stderr.splitlines()
    assert "acme-agents 1.5" in line
    assert "nppac-agents" in line


@pytest.mark.parametrize("command", ["--help", "plugins", "schema", "validate"])
def test_what_runs_nothing_imports_nothing_heavy(command, config):
    argv = [command, *([str(config)] if command == "validate" else [])]
    code = (
        "import sys\n"
        "from nppac_agents.cli import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as stop: code = stop.code\n"
        f"print(code, *({HEAVY!r} & sys.modules.keys()), file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, text=True, check=True
    )
    assert result.stderr.split() == ["0"]


def test_a_reader_that_leaves_gets_no_traceback():
    command = f"{sys.executable} -m nppac_agents schema | true"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")


@pytest.fixture
def reporting(monkeypatch) -> dict[str, list[object]]:
    """Stand-ins for the modules that draw."""
    calls: dict[str, list[object]] = {"report": [], "compare": []}

    def replace(name, **functions):
        module = types.ModuleType(f"nppac_agents.reporting.{name}")
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    replace("report", write_report=lambda path: calls["report"].append(path) or path / "r.html")
    replace(
        "tasks",
        read_tasks=lambda methods: [types.SimpleNamespace(name="door", runs=methods)],
    )
    replace(
        "comparison_files",
        DEFAULT_MEASURES=("a", "b"),
        write_comparison=lambda tasks, *rest: calls["compare"].append((tasks[0].runs, *rest)),
    )
    replace(
        "comparison_table",
        table_of=lambda runs: "table of " + ", ".join(runs),
        terminal_table=lambda runs, width: f"{width} columns of {', '.join(runs)}",
    )
    return calls


def test_report_prints_where_it_is(nppac_run, reporting):
    assert nppac_run("report", "runs/x") == (0, "runs/x/r.html\n", [])
    assert reporting["report"] == [Path("runs/x")]


def test_compare_plots_methods_and_prints_a_table(nppac_run, reporting):
    result = nppac_run("compare", "a b=r/1,r/2", "c=r/x=3", "--output", "f.png")
    assert result == (0, "table of a b, c\n", [])
    methods = {"a b": [Path("r/1"), Path("r/2")], "c": [Path("r/x=3")]}
    assert reporting["compare"] == [(methods, Path("f.png"), ("a", "b"), None)]


def test_compare_prints_no_wider_than_its_terminal(nppac_run, reporting, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "70")
    assert nppac_run("compare", "a=r/1", "--output", "f.png").out == "70 columns of a\n"


def test_compare_writes_all_outputs_with_the_measures_and_axis_asked_for(nppac_run, reporting):
    options = ["--measure", "x", "--measure", "y", "--axis", "updates"]
    result = nppac_run("compare", "a=r", "--output", "f.pdf", "--output", "f.csv", *options)
    assert result.code == 0
    outputs = [(call[1], call[2], call[3]) for call in reporting["compare"]]
    assert outputs == [(Path(f), ["x", "y"], "updates") for f in ("f.pdf", "f.csv")]


def test_compare_takes_patterns_for_run_directories(nppac_run, reporting, tmp_path):
    for name in ("seed1", "seed0", "notes"):
        (tmp_path / "r" / name).mkdir(parents=True)
    for name in ("seed1", "seed0"):
        (tmp_path / "r" / name / "config.json").touch()
    assert nppac_run("compare", "a=r/*,x", "b=r/seed[1]", "--output", "f.csv").code == 0
    runs = {"a": [Path("r/seed0"), Path("r/seed1"), Path("x")], "b": [Path("r/seed1")]}
    assert reporting["compare"][0][0] == runs
    result = nppac_run("compare", "a=q/*", "--output", "f.csv")
    assert (result.code, "'q/*' matches no run directory" in result.err[0]) == (2, True)


@pytest.mark.parametrize(
    ("argv", "mentions"),
    [
        (["x"], "'x' has to read LABEL=RUN_DIR[,RUN_DIR...]"),
        (["=x"], "has to read LABEL="),
        (["a=x,"], "has to read LABEL="),
        (["a=x", "a=y"], "label 'a' is given twice"),
        ([], "required: LABEL=RUN_DIR"),
    ],
)
def test_compare_refuses_what_it_cannot_read(nppac_run, reporting, argv, mentions):
    result = nppac_run("compare", *argv, "--output", "f.png")
    assert result.code == 2
    (line,) = result.err
    assert mentions in line


def test_record_needs_a_finished_run_and_an_output(nppac_run, tmp_path):
    missing = nppac_run("record", tmp_path / "none", "--output", "x.npz")
    assert missing.code == 2
    assert len(missing.err) == 1
    assert "none" in missing.err[0]
    assert nppac_run("record", tmp_path).code == 2
