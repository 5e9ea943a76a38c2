"""The commands of `nppac-run` beside running: each takes the parsed arguments, returns a code."""

from __future__ import annotations

import argparse
import glob
import json
import shutil
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.errors import UnknownKindError
from nppac_priors.suggestions import did_you_mean
from nppac_priors.user_files import user_path

from nppac_agents.cli.exit_code import exit_code_of
from nppac_agents.cli.problems import problem_lines


def validate(arguments: argparse.Namespace) -> int:
    """Check experiment files; go on after an invalid one."""
    from nppac_envs.errors import EnvsError
    from nppac_priors.errors import NppacError

    code = ExitCode.DONE
    for path in arguments.configs:
        try:
            missing = _check(path, arguments.overrides)
        except (NppacError, EnvsError) as error:
            if arguments.debug:
                traceback.print_exc()
            code = max(code, exit_code_of(error))
            for line in problem_lines(error):
                print(f"error: {line}", file=sys.stderr)
        else:
            print(f"{path}: valid")
            for line in missing:
                print(f"warning: {path}: {line}", file=sys.stderr)
    return code


def _check(path: str | Path, overrides: list[str]) -> list[str]:
    """What of a valid experiment is not there yet."""
    from nppac_envs.errors import EnvsError
    from nppac_priors.errors import ConfigError

    from nppac_agents.experiment.consistency import not_here, require_consistent
    from nppac_agents.experiment.loading import load_experiment

    config = load_experiment(path, overrides)
    try:
        require_consistent(config)
    except (ConfigError, EnvsError) as error:
        lines = str(error).split("\n")
        raise ConfigError("\n".join(f"{path}: {line}" for line in lines)) from None
    return list(not_here(config))


def plugins(arguments: argparse.Namespace) -> int:
    """List every component and every plugin that failed to load or is left out.

    Their classes are in the JSON alone: with them a line is wider than a terminal.
    """
    rows = [row for registry in _registries() for row in _plugin_rows(registry)]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        names = ("what", "kind", "distribution", "version", "status")
        print(table([names, *([row[name] or "" for name in names] for row in rows)]))
        for row in rows:
            if row["error"]:
                print(f"{row['distribution']} {row['version']}: {row['error']}")
    return ExitCode.DONE


def kinds(arguments: argparse.Namespace) -> int:
    """List the kinds of everything but priors, or the fields of one."""
    from nppac_priors.cli.kinds import field_rows, kind_rows, print_missing, print_rows

    registries = [registry for registry in _registries() if registry.noun != "prior"]
    if arguments.kind is None:
        rows = [
            {"of": registry.noun, "kind": row["kind"], "what": row["what"]}
            for registry in registries
            for row in kind_rows(registry)
        ]
        print_rows(rows, as_json=arguments.json)
        if not arguments.json:
            print_missing(registries)
        return ExitCode.DONE
    holders = [registry for registry in registries if arguments.kind in registry.components]
    if not holders:
        raise UnknownKindError(_unknown_kind(arguments.kind, registries))
    for registry in holders:
        print_rows(field_rows(registry.get(arguments.kind)), as_json=arguments.json)
    return ExitCode.DONE


def _unknown_kind(kind: str, registries: Iterable[Any]) -> str:
    known = [name for registry in registries for name in registry.components]
    return (
        f"unknown kind {kind!r}{did_you_mean(kind, known)}; nppac-run kinds lists those of "
        "environments, agents, loggers and executors, nppac-prior kinds those of priors"
    )


def schema(arguments: argparse.Namespace) -> int:
    """Print or write the JSON schema of experiment files, or of study files."""
    from nppac_agents.experiment.schema import schema_text
    from nppac_agents.studies.config import StudyConfig

    text = schema_text(StudyConfig, "study") if arguments.study else schema_text()
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")
    return ExitCode.DONE


def report(arguments: argparse.Namespace) -> int:
    """Write a run's report."""
    from nppac_agents.reporting.report import write_report

    print(write_report(arguments.run_dir))
    return ExitCode.DONE


def compare(arguments: argparse.Namespace) -> int:
    """Draw methods against each other, task by task, and print a table for each task.

    On a terminal it is as narrow as that is; elsewhere it is Markdown.
    """
    from nppac_priors.errors import ConfigError

    from nppac_agents.reporting.comparison_files import write_comparison
    from nppac_agents.reporting.comparison_table import table_of, terminal_table
    from nppac_agents.reporting.tasks import read_tasks

    labels = [label for label, _ in arguments.methods]
    for label in labels:
        if labels.count(label) > 1:
            raise ConfigError(f"label {label!r} is given twice; join its runs with commas")
    tasks = read_tasks(dict(arguments.methods))
    for output in arguments.output:
        write_comparison(tasks, output, arguments.measures, arguments.axis)
    for task in tasks:
        if sys.stdout.isatty():
            shown = terminal_table(task.runs, shutil.get_terminal_size().columns)
        else:
            shown = table_of(task.runs)
        print(f"## {task.name}\n" if len(tasks) > 1 else "", shown, sep="")
    return ExitCode.DONE


def labelled_runs(text: str) -> tuple[str, list[Path]]:
    """`LABEL=RUN_DIR[,RUN_DIR...]` as label and directories; patterns name all that they match.

    Raises:
        argparse.ArgumentTypeError: it does not read so, or a pattern matches nothing.
    """
    label, _, runs = text.partition("=")
    paths = runs.split(",")
    if not label or not all(paths):
        raise argparse.ArgumentTypeError(f"{text!r} has to read LABEL=RUN_DIR[,RUN_DIR...]")
    return label, [found for path in paths for found in _matches(path)]


def _matches(path: str) -> list[Path]:
    """The run directories that a pattern matches, or the path as it is where it is none."""
    path = str(user_path(path))
    if glob.escape(path) == path or Path(path).exists():
        return [Path(path)]
    found = [Path(name) for name in sorted(glob.glob(path, recursive=True))]
    runs = [one for one in found if (one / "config.json").is_file()]
    if not runs:
        raise argparse.ArgumentTypeError(f"{path!r} matches no run directory")
    return runs


def table(rows: Iterable[Iterable[str]]) -> str:
    """Rows as lines with aligned columns."""
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _registries() -> Iterable[Any]:
    from nppac_agents.experiment.registries import registries
    from nppac_agents.studies.registry import executor_registry

    return (*registries(), executor_registry())


def _plugin_rows(registry: Any) -> list[dict[str, str | None]]:
    loaded = [
        {
            "what": registry.noun,
            "kind": component.kind,
            "class": f"{component.cls.__module__}.{component.cls.__qualname__}",
            "distribution": component.distribution,
            "version": component.version,
            "status": "loaded" if problem is None else "conflict",
            "error": problem,
        }
        for component, problem in _provided(registry)
    ]
    others = [
        {
            "what": registry.noun,
            "kind": None,
            "class": None,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "status": status,
            "error": plugin.reason,
        }
        for status, found in (("broken", registry.broken), ("left out", registry.left_out))
        for plugin in found
    ]
    return loaded + others


def _provided(registry: Any) -> Iterable[tuple[Any, str | None]]:
    """Every component, with what is wrong where several provide its kind."""
    for component in registry.components.values():
        yield component, None
    for kind, owners in registry.conflicts.items():
        for component in owners:
            yield component, registry.conflict(kind)
