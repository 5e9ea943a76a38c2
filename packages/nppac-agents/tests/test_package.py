import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nppac_agents
import pytest

ROOT = Path(__file__).parents[1]


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_version_changelog_and_bounds_agree():
    version = project()["version"]
    assert nppac_agents.__version__ == version
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text()
    for name, extra in (("nppac-priors", "[report]"), ("nppac-envs", "")):
        major, minor = importlib.metadata.version(name).split(".")[:2]
        bound = f">={major}.{minor},<{major}.{int(minor) + 1}"
        assert f"{name}{extra}{bound}" in project()["dependencies"]


def test_importing_the_package_and_its_configs_loads_no_torch():
    code = (
        "import sys, nppac_agents\n"
        "nppac_agents.NPPAC, nppac_agents.ExperimentConfig\n"
        "print([name for name in ('torch', 'tianshou', 'gpytorch') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_every_public_name_can_be_imported():
    for name in dir(nppac_agents):
        getattr(nppac_agents, name)


@pytest.mark.medium
def test_the_readmes_script_runs():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    exec(compile(blocks[0], "README.md", "exec"), {})
