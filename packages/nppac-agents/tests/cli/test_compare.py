"""`nppac-run report` and `compare`, with stand-ins for what draws."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest


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
    assert reporting["compare"] == [(methods, Path("f.png"), None, None)]


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
