"""The documentation: what it shows runs, its reference is the code's, and the site builds."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
import time

import pytest
from nppac_agents.studies.executor import Task

from integration_tests.pages import DOCS, ROOT, python_of

pytestmark = pytest.mark.medium

PACKAGES = ["nppac-priors", "nppac-envs", "nppac-agents"]


@pytest.fixture(scope="module")
def reference():
    """The module that writes the reference."""
    spec = importlib.util.spec_from_file_location("reference_pages", DOCS / "reference_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["start.md", "theory.md", "write-a-logger.md"])
def test_the_python_of_a_page_runs(page):
    python_of(page)


def test_the_pages_executor_starts_a_process_and_stops_another(tmp_path):
    config = python_of("write-an-executor.md")["PoliteExecutor"](processes=2)
    with config.open() as workers:
        assert workers.places == 2
        log = tmp_path / "log"
        job = workers.start(Task("version", ["--version"], log, tmp_path / "run", tmp_path))
        other = workers.start(
            Task("plugins", ["plugins"], tmp_path / "other", tmp_path / "run", tmp_path)
        )
        other.stop()
        other.stop()
        while (code := job.poll()) is None or other.poll() is None:
            time.sleep(0.05)
    assert code == 0
    assert log.read_text().startswith("nppac-agents")
    assert other.poll() != 0


def test_the_configuration_has_every_kind_and_field(reference):
    page = reference.configuration()
    for kind in ("door", "exact-gp", "nppac", "minari"):
        assert f"\n### `{kind}`\n" in page
    assert "| `kl_budget` | number > 0 or null | `0.015` |" in page
    assert "| `n_envs` | integer ≥ 1, ≤ 1024 | `8` |" in page
    assert "\n### `slurm`\n" in page
    assert "\n## `tuning`\n" in page
    assert "Its fields: `states`, `actions`, `episodes`, `rewards`, `successes`, `times`." in page


def test_the_commands_are_all_there_with_their_help(reference):
    page = reference.commands()
    for command in ("nppac-run extend", "nppac-prior report", "nppac-demos doctor"):
        assert f"\n### `{command}`\n" in page
        assert f"usage: {command}" in page


@pytest.mark.parametrize(
    ("page", "registry"),
    [
        ("docs/choose-a-prior.md", "nppac_priors:prior_registry"),
        ("packages/nppac-priors/README.md", "nppac_priors:prior_registry"),
        ("packages/nppac-agents/README.md", "nppac_agents.experiment.registries:agent_registry"),
        ("packages/nppac-envs/README.md", "nppac_agents.experiment.registries:env_registry"),
        ("docs/studies.md", "nppac_agents.studies.registry:executor_registry"),
    ],
)
def test_a_page_names_every_kind_that_ships(page, registry):
    module, _, name = registry.partition(":")
    components = getattr(importlib.import_module(module), name)().components
    ours = {kind for kind, one in components.items() if one.distribution in PACKAGES}
    text = (ROOT / page).read_text(encoding="utf-8")
    assert {kind for kind in ours if f"`{kind}`" not in text} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_packages_readme_has_no_link_that_an_index_cannot_follow(package):
    text = (ROOT / "packages" / package / "README.md").read_text()
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", text) == []


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*build, str(DOCS), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for page in ("index", "start", "theory", "reference/configuration", "reference/api"):
        assert (tmp_path / f"{page}.html").is_file()
    for page in tmp_path.rglob("*.html"):
        for image in re.findall(r'<img[^>]* src="([^":]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / image).is_file(), f"{page.name}: {image}"
    theory = (tmp_path / "theory.html").read_text(encoding="utf-8")
    assert "<msubsup><mi>σ</mi>" in theory.replace("\n", "").replace(" ", "")
    assert re.findall(r'<script[^>]* src="https?:', theory) == []
    python = (tmp_path / "reference/api.html").read_text(encoding="utf-8")
    assert 'id="nppac_priors.PriorConfig.fit"' in python
    assert "Create a new model by parsing" not in python
