"""Who depends on whom, declared and imported, and what the cheap modules import."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.medium

PACKAGES = Path(__file__).parents[1] / "packages"
SOURCES = {
    name: PACKAGES / name.replace("_", "-") / "src" / name
    for name in ("nppac_priors", "nppac_envs", "nppac_agents")
}
MAY_IMPORT = {
    "nppac_priors": set(),
    "nppac_envs": set(),
    "nppac_agents": {"nppac_priors", "nppac_envs"},
}
HEAVY = {
    *(
        "torch",
        "gpytorch",
        "linear_operator",
        "pyro",
        "safetensors",
        "tianshou",
        "trackio",
        "wandb",
    ),
    *("mujoco", "gymnasium_robotics", "minari", "pandas", "matplotlib", "jinja2", "tensorboard"),
}
CHEAP = ("__init__.py", "*config.py", "plugin.py", "hookspecs.py", "registry.py", "registries.py")


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    """Requirements of one distribution that apply here; none if it is not installed."""
    project = PACKAGES / name / "pyproject.toml"
    if project.exists():
        lines = tomllib.loads(project.read_text())["project"]["dependencies"]
    else:
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            lines = []
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": e}) for e in (extras or {""})):
            yield requirement


def declared_dependencies(name: str) -> set[str]:
    """Everything that installing a distribution brings along."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(name, frozenset())]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += [(normalised(r.name), frozenset(r.extras)) for r in requirements(*current)]
    return {found for found, _ in seen} - {name}


@pytest.mark.parametrize(
    ("name", "needs", "excluded"),
    [
        (
            "nppac-priors",
            {"torch", "gpytorch", "linear-operator", "pydantic", "pluggy", "safetensors"},
            {"gymnasium", "gymnasium-robotics", "mujoco", "minari", "tianshou", "nppac-envs"},
        ),
        (
            "nppac-envs",
            {"gymnasium", "mujoco", "farama-notifications", "h5py", "pydantic"},
            {"torch", "gpytorch", "pyro-ppl", "tianshou", "nppac-priors"},
        ),
    ],
)
def test_installing_one_package_does_not_bring_the_others(name, needs, excluded):
    dependencies = declared_dependencies(name)
    assert needs <= dependencies
    assert not dependencies & (excluded | {"nppac-agents"})


def modules(package: str) -> dict[str, Path]:
    """Source file by dotted module name."""
    found = {}
    for path in sorted(SOURCES[package].rglob("*.py")):
        parts = (package, *path.relative_to(SOURCES[package]).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imported(nodes: Iterable[ast.AST], module: str) -> Iterator[str]:
    """Dotted names that nodes import; of `from a import b` both `a` and `a.b`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def executed_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run when a module is imported: not those of functions or type checking."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            child = ast.Module(child.orelse, [])
        yield child
        yield from executed_at_import(child)


@pytest.mark.parametrize("package", SOURCES)
def test_imports_point_one_way(package):
    for module, path in modules(package).items():
        tree = ast.parse(path.read_text())
        roots = {name.partition(".")[0] for name in imported(ast.walk(tree), module)}
        others = (roots & SOURCES.keys()) - {package}
        assert others <= MAY_IMPORT[package], f"{module} imports {others - MAY_IMPORT[package]}"


def first_heavy_import(root: str, sources: dict[str, Path]) -> list[str] | None:
    """Chain of modules from `root` to a heavy one, following what importing each executes."""
    waiting = [[root]]
    seen: set[str] = set()
    while waiting:
        chain = waiting.pop()
        module = chain[-1]
        if module.partition(".")[0] in HEAVY:
            return chain
        if module in seen or module not in sources:
            continue
        seen.add(module)
        parents = [module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)]
        names = imported(executed_at_import(ast.parse(sources[module].read_text())), module)
        waiting += [[*chain, name] for name in [*parents, *names]]
    return None


@pytest.mark.parametrize("package", SOURCES)
def test_cheap_modules_import_nothing_heavy(package):
    sources = {name: path for each in SOURCES for name, path in modules(each).items()}
    cheap = [
        name
        for name, path in modules(package).items()
        if any(path.match(pattern) for pattern in CHEAP)
    ]
    assert package in cheap
    assert len(cheap) > 3
    heavy = {name: first_heavy_import(name, sources) for name in cheap}
    chains = [" -> ".join(chain) for chain in heavy.values() if chain]
    assert not chains


def test_the_search_finds_a_heavy_import():
    sources = {name: path for each in SOURCES for name, path in modules(each).items()}
    chain = first_heavy_import("nppac_priors.loading", sources)
    assert chain is not None
    assert chain[0] == "nppac_priors.loading"
