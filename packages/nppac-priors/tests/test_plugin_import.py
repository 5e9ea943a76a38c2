"""A plugin that prints, exits or hangs when it is imported costs nobody else."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import time

import pytest
from nppac_priors import plugin_import
from nppac_priors.plugin_import import quiet_import
from nppac_priors.registry import prior_registry

pytestmark = pytest.mark.medium

load = prior_registry.__wrapped__
PRINTS = {
    "print": "print('noise')",
    "descriptor": "import os; os.write(1, b'noise')",
    "child": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(\"noise\")'])",
    "C library": "import ctypes; ctypes.CDLL(None).puts(b'noise')",
    "kept stdout": "import sys; sys.__stdout__.write('noise')",
}


@pytest.mark.parametrize("statement", PRINTS.values(), ids=PRINTS)
def test_what_a_plugin_prints_goes_to_standard_error(
    distribution, plugin_source, tmp_path, statement
):
    distribution("acme-priors", "2.1", "acme", f"{statement}\n{plugin_source('acme')}")
    code = (
        "from nppac_priors.registry import prior_registry\n"
        "print('before')\n"
        "assert 'acme' in prior_registry().components\n"
        "print('after')\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "PYTHONPATH": path,
            "PYTHONUNBUFFERED": "",
        },  # buffers as users have them
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stdout == "before\nafter\n"
    assert "noise" in result.stderr


def test_standard_output_is_back_after_a_failed_import(distribution, capfd):
    distribution("acme-priors", "2.1", "acme", "print('noise'); raise SystemExit(0)")
    load()
    print("back")
    os.write(1, b"below\n")
    captured = capfd.readouterr()
    assert captured.out == "back\nbelow\n"
    assert "noise" in captured.err


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("import sys; sys.exit()", "SystemExit)"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("class Odd(BaseException): pass\nraise Odd('x')", "Odd: x"),
    ],
)
def test_whatever_ends_an_import_is_a_broken_plugin(
    distribution, plugin_source, statement, reason, caplog
):
    distribution("acme-priors", "2.1", "acme", statement)
    distribution("zeta-priors", "1.0", "zeta", plugin_source("zeta"))
    registry = load()
    (broken,) = registry.broken
    assert str(broken).startswith(f"acme-priors 2.1 ({reason}")
    assert "zeta" in registry.components
    assert "acme-priors 2.1" in caplog.text


@pytest.mark.parametrize(
    "statement",
    ["raise KeyboardInterrupt", "raise ImportError('half imported') from KeyboardInterrupt()"],
)
def test_an_interrupt_from_the_keyboard_is_no_broken_plugin(distribution, statement):
    distribution("acme-priors", "2.1", "acme", statement)
    with pytest.raises(KeyboardInterrupt):
        load()


def test_a_slow_import_is_named_while_it_goes_on(distribution, plugin_source, monkeypatch, capfd):
    monkeypatch.setattr(plugin_import, "SLOW_SECONDS", 0.1)
    source = f"import time; time.sleep(0.6); print('woke')\n{plugin_source('acme')}"
    distribution("acme-priors", "2.1", "acme", source)
    distribution("zeta-priors", "1.0", "zeta", plugin_source("zeta"))
    load()
    named, woke = capfd.readouterr().err.splitlines()
    assert "importing plugin 'acme' of group 'nppac.priors' (acme-priors 2.1) takes more" in named
    assert "NPPAC_WITHOUT_PLUGINS=acme-priors" in named
    assert woke == "woke"


def test_a_quick_import_is_not_named(monkeypatch, capfd):
    monkeypatch.setattr(plugin_import, "SLOW_SECONDS", 0.2)
    with quiet_import(importlib.metadata.EntryPoint("acme", "acme", "nppac.priors"), "acme", "1"):
        pass
    time.sleep(0.4)
    assert capfd.readouterr().err == ""


def test_a_process_without_standard_output_loads_plugins(distribution, plugin_source, tmp_path):
    distribution("acme-priors", "2.1", "acme", f"print('noise')\n{plugin_source('acme')}")
    code = (
        "import os\nos.close(1)\n"
        "from nppac_priors.registry import prior_registry\n"
        "assert 'acme' in prior_registry().components\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
