from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import nppac_envs
import pytest

pytestmark = pytest.mark.medium

SOURCE = Path(nppac_envs.__file__).parent
FORBIDDEN = {"torch", "tianshou", "gpytorch", "nppac_priors", "nppac_agents"}


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.name)
def test_no_module_imports_a_learning_library(path: Path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert not imported & FORBIDDEN


def test_every_module_imports_with_learning_libraries_blocked():
    count = run(
        "import sys, pkgutil, importlib\n"
        f"for name in {sorted(FORBIDDEN)!r}: sys.modules[name] = None\n"
        "import nppac_envs\n"
        "found = list(pkgutil.walk_packages(nppac_envs.__path__, 'nppac_envs.'))\n"
        "for module in found: importlib.import_module(module.name)\n"
        "print(len(found))"
    )
    assert int(count) == len(list(SOURCE.rglob("*.py"))) - 1


def test_the_package_and_its_configs_import_no_simulator():
    loaded = run(
        "import sys, nppac_envs\n"
        "nppac_envs.DoorConfig(), nppac_envs.AntConfig(), nppac_envs.DemonstrationsSource\n"
        "nppac_envs.measure, nppac_envs.hookimpl\n"
        "import nppac_envs.plugin\n"
        "heavy = {'mujoco', 'gymnasium_robotics', 'minari', 'h5py', 'torch', 'tianshou'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert loaded == "[]"


def test_importing_registers_the_environments():
    ids = run(
        "import gymnasium, nppac_envs\n"
        "print(sorted(name for name in gymnasium.registry if name.startswith('nppac/')))"
    )
    assert ids == str(
        [
            "nppac/Ant-v0",
            "nppac/Door-v0",
            "nppac/HalfCheetah-v0",
            "nppac/Hammer-v0",
            "nppac/Hopper-v0",
            "nppac/Pen-v0",
            "nppac/Push-v0",
            "nppac/Relocate-v0",
            "nppac/Walker2d-v0",
        ]
    )


def test_every_public_name_resolves():
    for name in nppac_envs.__all__:
        assert getattr(nppac_envs, name) is not None
    assert set(nppac_envs.__all__) <= set(dir(nppac_envs))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = nppac_envs.no_such_name
