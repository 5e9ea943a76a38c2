"""Plugins that are broken, left out or two of one kind, as commands tell of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fresh_registries import fresh_registries

pytestmark = pytest.mark.medium


@pytest.fixture
def nppac_run_with(nppac_run, monkeypatch):
    """Runs the command with the plugins of a folder, as a new process would find them."""

    def run(folder: Path, *argv: object, **environment: str):
        with monkeypatch.context() as patch, fresh_registries():
            patch.syspath_prepend(str(folder))
            patch.delitem(sys.modules, "acme", raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            return nppac_run(*argv)

    return run


def the_row(result: Any, status: str) -> dict[str, str]:
    """The one plugin of this status in what `plugins --json` printed."""
    assert result.code == 0, result.err
    (row,) = [row for row in json.loads(result.out) if row["status"] == status]
    return row


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
    assert lines[0].split() == ["what", "kind", "distribution", "version", "status"]
    assert max(map(len, lines)) <= 80
    assert any(line.split()[:3] == ["agent", "nppac", "nppac-agents"] for line in lines)


@pytest.mark.parametrize("group", ["nppac.agents", "nppac.envs", "nppac.priors"])
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys; sys.exit()", "SystemExit"),
    ],
)
def test_a_broken_plugin_is_listed_and_costs_nobody_else(
    plugin_folder, nppac_run_with, group, source, error
):
    folder = plugin_folder(group, "acme-things", "acme", source)
    listed = nppac_run_with(folder, "plugins", "--json")
    assert the_row(listed, "broken") == {
        "what": group.removeprefix("nppac.").removesuffix("s"),
        "kind": None,
        "class": None,
        "distribution": "acme-things",
        "version": "1.5",
        "status": "broken",
        "error": error,
    }
    assert "nppac" in {row["kind"] for row in json.loads(listed.out)}
    assert f"acme-things 1.5: {error}" in nppac_run_with(folder, "plugins").out


def test_what_a_plugin_prints_when_imported_does_not_mix_with_the_output(plugin_folder):
    source = "import os, sys\nprint('noise'); os.write(1, b'more noise'); sys.exit()"
    folder = plugin_folder("nppac.priors", "acme-things", "acme", source)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    schema = subprocess.run(
        [sys.executable, "-m", "nppac_agents", "schema"],
        env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(schema.stdout)["title"] == "nppac experiment"
    assert "noise" in schema.stderr
    assert "more noise" in schema.stderr
    assert "acme-things 1.5 (SystemExit)" in schema.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("NPPAC_WITHOUT_PLUGINS", "Acme_Things"), ("NPPAC_PLUGINS", "")]
)
def test_a_plugin_that_is_left_out_is_not_imported(
    plugin_folder, nppac_run_with, config, name, value
):
    source = "raise RuntimeError('it is imported')"
    folder = plugin_folder("nppac.agents", "acme-things", "acme", source)
    listed = nppac_run_with(folder, "plugins", "--json", **{name: value})
    assert the_row(listed, "left out") == {
        "what": "agent",
        "kind": None,
        "class": None,
        "distribution": "acme-things",
        "version": "1.5",
        "status": "left out",
        "error": f"{name} {'names it' if value else 'does not name it'}",
    }
    strict = {name: value, "NPPAC_STRICT_PLUGINS": "1"}
    assert nppac_run_with(folder, "validate", config, **strict).code == 0


def test_help_tells_how_to_leave_a_plugin_out(nppac_run):
    assert "NPPAC_WITHOUT_PLUGINS" in nppac_run("plugins", "--help").out


def test_a_plugin_problem_has_its_exit_code(plugin_folder, nppac_run_with, config, caplog):
    folder = plugin_folder("nppac.agents", "acme-agents", "acme", "import no_such_module")
    strict = nppac_run_with(folder, "validate", config, NPPAC_STRICT_PLUGINS="1")
    assert strict.code == 3
    (line,) = strict.err
    assert line.startswith("error: plugin 'acme' of group 'nppac.agents' failed to load: acme")
    caplog.clear()
    lenient = nppac_run_with(folder, "validate", config)
    assert lenient[:2] == (0, f"{config}: valid\n")
    assert not any("acme" in line for line in lenient.err)
    (message,) = caplog.messages
    assert message.startswith("plugin 'acme' of group 'nppac.agents' failed to load")


def test_a_kind_that_two_plugins_provide_is_a_plugin_problem(plugin_folder, nppac_run_with, config):
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
    result = nppac_run_with(folder, "validate", config)
    assert result.code == 3
    (line,) = result.err
    assert "acme-agents 1.5" in line
    assert "nppac-agents" in line
    assert nppac_run_with(folder, "kinds", "bc").code == 0
    rows = json.loads(nppac_run_with(folder, "plugins", "--json").out)
    both = [row for row in rows if row["status"] == "conflict"]
    assert [row["distribution"] for row in both] == ["nppac-agents", "acme-agents"]
    assert {row["kind"] for row in both} == {"nppac"}
    table = nppac_run_with(folder, "plugins").out
    assert "agent kind 'nppac' is provided by nppac-agents" in table
