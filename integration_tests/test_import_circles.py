"""Which modules import each other in a circle: at run time, and where types count too."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest

from integration_tests.test_isolation import SOURCES, executed_at_import, imported, modules

pytestmark = pytest.mark.medium

WRAPPERS = {"nppac_priors.wrappers.config", "nppac_priors.wrappers.prior"}
"""A wrapper's config makes the prior, and a wrapper made in code its config."""
PRIORS = {"nppac_priors.config", "nppac_priors.prior"}
"""A config fits a prior, and a prior knows its config."""
AGENTS = {
    *("nppac_agents.agent", "nppac_agents.methods.base", "nppac_agents.method_contract"),
    *("nppac_agents.phase", "nppac_agents.tianshou_adapter"),
}
"""An agent knows its method, whose functions and phases take the agent."""
Graph = Mapping[str, set[str]]


def for_types(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that only a type checker sees."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for statement in node.body:
                yield from ast.walk(statement)


def at_run_time(tree: ast.AST) -> Iterable[ast.AST]:
    """Nodes that may run, those of functions included."""
    types = set(for_types(tree))
    return [node for node in ast.walk(tree) if node not in types]


def at_the_top(tree: ast.AST) -> Iterable[ast.AST]:
    """Nodes that run at import, and those for types."""
    return [*executed_at_import(tree), *for_types(tree)]


@functools.cache
def import_graph(nodes_of: Callable[[ast.AST], Iterable[ast.AST]]) -> Graph:
    """The modules of this project that each of them imports.

    A submodule that is imported from its package is no import of the package.
    """
    sources = {name: path for each in SOURCES for name, path in modules(each).items()}
    graph = {}
    for module, path in sources.items():
        names: set[str] = set()
        for node in nodes_of(ast.parse(path.read_text())):
            found = list(imported([node], module))
            deeper = [name for name in found[1:] if name in sources]
            names |= set(deeper if deeper and len(deeper) == len(found) - 1 else found)
        graph[module] = {name for name in names if name in sources} - {module}
    return graph


def circles(graph: Graph) -> list[set[str]]:
    """The largest sets of modules that all reach each other."""
    reached = {module: _reachable(graph, module) for module in graph}
    found: list[set[str]] = []
    for module in graph:
        circle = {other for other in reached[module] if module in reached[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def _reachable(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += graph[module]
    return seen


def test_the_search_finds_circles():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert circles(graph) == [{"a", "b", "c"}, {"d", "e"}]
    assert (
        "nppac_priors.wrappers.prior" in import_graph(at_run_time)["nppac_priors.wrappers.config"]
    )
    assert "nppac_priors.config" in import_graph(at_the_top)["nppac_priors.prior"]


def test_at_run_time_the_wrappers_alone_make_a_circle():
    assert circles(import_graph(at_run_time)) == [WRAPPERS]


def test_types_make_two_circles():
    found = circles(import_graph(at_the_top))
    assert len(found) == 2
    assert all(any(circle <= known for known in (PRIORS, AGENTS)) for circle in found), found


FOLDERS = ("cli", "experiment", "loggers", "reporting", "running", "studies")
"""Of the agents: what an experiment is, what computes it, what reads its files, what is above."""


def test_what_computes_and_what_only_reads_files_do_not_know_each_other_both_ways():
    arrows: dict[str, set[str]] = {folder: set() for folder in FOLDERS}
    for module, known in import_graph(at_run_time).items():
        for folder in FOLDERS:
            if module.startswith(f"nppac_agents.{folder}."):
                arrows[folder] |= {
                    other for other in FOLDERS for name in known
                    if name.startswith(f"nppac_agents.{other}.") and other != folder
                }  # fmt: skip
    assert arrows["running"] >= {"experiment", "reporting"}
    assert circles(arrows) == []
