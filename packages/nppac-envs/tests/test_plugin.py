from __future__ import annotations

import importlib
import sys

import pluggy
import pytest
from nppac_envs import ConfigError, EnvConfig, hookimpl, hookspecs, plugin
from nppac_envs.environments import env_config


def test_the_hook_returns_the_built_in_configs_and_those_of_others():
    class MyConfig(EnvConfig):
        kind: str = "mine"

    class Package:
        @hookimpl
        def nppac_env_configs(self) -> list[type[EnvConfig]]:
            return [MyConfig]

    manager = pluggy.PluginManager("nppac.envs")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.register(Package())
    manager.check_pending()
    offered = manager.hook.nppac_env_configs()
    built_in = plugin.nppac_env_configs()
    assert {config for configs in offered for config in configs} == {*built_in, MyConfig}


def test_built_in_kinds_differ():
    kinds = [config.model_fields["kind"].default for config in plugin.nppac_env_configs()]
    assert kinds == [
        "door",
        "pen",
        "hammer",
        "relocate",
        "halfcheetah",
        "walker2d",
        "ant",
        "hopper",
        "push",
        "gymnasium",
    ]


LAB = """
from typing import Literal
from nppac_envs import EnvConfig, hookimpl

class LabConfig(EnvConfig):
    kind: Literal["lab"] = "lab"
    horizon: int = 5
    @property
    def has_success(self): return False
    def make(self, *, render_mode=None): return None

@hookimpl
def nppac_env_configs(): return [LabConfig]
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Writes distributions with one module that offers environments, or tries to."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, source: str) -> None:
        info = tmp_path / f"{name}-0.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.3\n")
        (info / "entry_points.txt").write_text(f"[nppac.envs]\n{name} = {name}\n")
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()

    return write


def test_a_plugin_that_prints_and_exits_costs_nobody_else(install, caplog, capsys):
    install("a_broken", "print('noise')\nimport sys; sys.exit()")
    install("lab_plugin", f"print('hello')\n{LAB}")
    with pytest.raises(ConfigError, match=r"there are .*'lab'"):
        env_config("nothing")
    assert "the plugin a_broken offers no environments" in caplog.text
    captured = capsys.readouterr()
    assert captured.out == ""
    assert {"noise", "hello"} <= set(captured.err.splitlines())
    assert env_config("lab").kind == "lab"


def test_a_built_in_kind_needs_no_plugin(install, monkeypatch):
    install("interrupted", "raise KeyboardInterrupt")
    assert env_config("door").kind == "door"
    with pytest.raises(KeyboardInterrupt):
        env_config("lab")


def test_a_plugin_can_be_left_out(install, monkeypatch):
    install("lab_plugin", LAB)
    install("hanging", "raise KeyboardInterrupt")
    monkeypatch.setenv("NPPAC_WITHOUT_PLUGINS", "hanging")
    assert env_config("lab").kind == "lab"
    monkeypatch.setenv("NPPAC_WITHOUT_PLUGINS", "hanging, Lab.Plugin")
    with pytest.raises(ConfigError, match="'lab' is unknown"):
        env_config("lab")
