"""The command lines that do what findings advise, to be copied as they are."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from nppac_envs.cli.source_options import reading
from nppac_envs.demonstrations.file_guard import expanded
from nppac_envs.demonstrations.findings import Finding, Options
from nppac_envs.errors import option_words

_UNREADABLE = ("unusable episodes", "unknown ends", "not finite", "out of range")
"""What keeps a set from being converted, if it is an error."""
_LATER = "(the command for it is here once the errors are ended)"

Steps = list[tuple[str, str | None]]
"""Words, and the command that does what they say."""


def remedies(findings: Sequence[Finding], arguments: argparse.Namespace) -> list[Steps]:
    """What to do about each of the findings, in the order of the findings.

    Every command works on its own. A set that cannot be converted as it is has commands that make
    it convertible, and no others.

    Args:
        findings: Of one set.
        arguments: Of the command that found them; what was said there is said again.
    """
    outputs = _free_names(arguments.source)
    barring = [f for f in findings if f.level == "error" and f.topic in _UNREADABLE]
    advised = []
    for finding in findings:
        others = [other for other in barring if other is not finding]
        first = [other.remedies[0] for other in others if other.remedies]
        possible = len(first) == len(others) and (finding in barring or not barring)
        steps: Steps = []
        for words, options in finding.steps():
            if not options:
                steps.append((words, None))
            elif not possible:
                steps.append((f"{words} {_LATER}", None))
            else:
                together = _merged(reading(arguments), *first, options)
                steps.append((words, _command(together, arguments, outputs)))
        advised.append(steps)
    return advised


def _free_names(source: str) -> Iterator[str]:
    """Names of files that are not there, made of the source's own name."""
    stem = Path(source).stem or "set"
    for number in count(1):
        name = f"{stem}-repaired{'' if number == 1 else f'-{number}'}.npz"
        if not expanded(name).exists():
            yield name


def _merged(*parts: Options) -> dict[str, Any]:
    """Options together; all episodes are left out that one of them leaves out."""
    merged: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if name == "exclude":
                value = sorted({*merged.get(name, ()), *value})
            elif name == "fields":
                value = merged.get(name, {}) | value
            merged[name] = value
    return merged


def _command(options: dict[str, Any], arguments: argparse.Namespace, outputs: Iterator[str]) -> str:
    words = ["nppac-demos", "convert", arguments.source]
    environment = [word for text in arguments.set for word in ("--set", text)]
    if "first_seed" in options:
        words[1] = "doctor"
        ending = ["--task", arguments.task, *environment, "--replay"]
    else:
        ending = ["--output", next(outputs)]
        if options.get("judge") == "gymnasium":
            first_seed = option_words("first_seed", arguments.first_seed)
            ending = [*environment, *first_seed, *ending]
    left_out = options.get("exclude", [])
    if "cut" in options:
        options["cut"] = [_renumbered(place, left_out) for place in options["cut"]]
    if "join" in options:
        options["join"] = [_renumbered(str(number), left_out) for number in options["join"]]
    for item in options.items():
        words += option_words(*item)
    return shlex.join([*words, *ending])


def _renumbered(place: str, left_out: Sequence[int]) -> str:
    """A place such as `3:41` in what is read, where operations do not count what is left out."""
    episode, *step = place.split(":")
    return ":".join([str(int(episode) - sum(other < int(episode) for other in left_out)), *step])
