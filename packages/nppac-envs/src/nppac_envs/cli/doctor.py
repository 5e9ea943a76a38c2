"""`nppac-demos doctor`: what is wrong with a set, and what to do about it."""

from __future__ import annotations

import argparse
import contextlib
import json
from dataclasses import replace
from typing import Any

from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.remedies import Steps, remedies
from nppac_envs.cli.source_options import source_configs
from nppac_envs.cli.task import chosen_task
from nppac_envs.config import EnvConfig
from nppac_envs.demonstrations.action_map import another_range, range_to_map
from nppac_envs.demonstrations.config import DemonstrationsConfig
from nppac_envs.demonstrations.doctor import LEVELS, examine
from nppac_envs.demonstrations.findings import Finding, Options
from nppac_envs.errors import ConfigError

_UNREAD = {"unusable episodes", "unknown ends"}
"""Of a set that is not read as it stands."""


def doctor(arguments: argparse.Namespace) -> int:
    """Print findings; fails if one of them is an error."""
    config = source_configs(arguments)[0]
    env = None
    if arguments.task is not None:
        env = chosen_task(arguments.task, arguments)
    findings = examine(config, arguments.task)
    topics = {finding.topic for finding in findings}
    if env is not None and not topics & _UNREAD:
        findings = _in_units_of(env, config, findings)
    if arguments.replay and not topics & {*_UNREAD, "not finite"}:
        findings += _drift(config, env, arguments.first_seed)
    advised = remedies(findings, arguments)
    if arguments.json:
        print(json.dumps([*map(_as_json, findings, advised)]))
    else:
        for finding, steps in zip(findings, advised, strict=True):
            print(f"{finding.level + ':':<9} {finding.topic}: {finding.text}")
            for words, command in steps:
                print(f"{'':<9} -> {words}{':' if command else ''}")
                if command:
                    print(f"{'':<12} {command}")
        counts = {level: sum(finding.level == level for finding in findings) for level in LEVELS}
        shown = ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in counts.items() if n)
        print(f"{config.where()}: {shown or 'nothing found'}")
    failed = any(finding.level == "error" for finding in findings)
    return ExitCode.FAILED if failed else ExitCode.DONE


def _in_units_of(
    env: EnvConfig, config: DemonstrationsConfig, findings: list[Finding]
) -> list[Finding]:
    """The findings, with the environment's bounds of actions as the range that they advise.

    As they are where it has none of its own, or where the set has actions beyond them; with one
    more where the actions were mapped from another range than these bounds.
    """
    from nppac_envs.checked import make_checked
    from nppac_envs.foreign.adapted import action_bounds

    stored = config.stored()
    mapped = config.source_range(stored).get("source_range")
    if mapped is None and not any("action_range" in r for f in findings for r in f.remedies):
        return findings
    with contextlib.closing(make_checked(env)) as made:
        bounds = action_bounds(made)
    if bounds is None or stored["actions"].shape[1:] != bounds.shape[1:]:
        return findings
    low, high = range_to_map(bounds, stored.get("source_range"))
    outside = bool(((stored["actions"] < low) | (stored["actions"] > high)).any())
    own: Options = {"action_range": (low.tolist(), high.tolist())}
    if (different := another_range(mapped, bounds, env.shown_as)) is not None:
        finding = Finding("warning", "other range", different, () if outside else (own,))
        findings = sorted([*findings, finding], key=lambda of: LEVELS.index(of.level))
    if outside:
        return findings

    def mended(options: Options) -> Options:
        return {**options, **own} if "action_range" in options else options

    return [replace(f, remedies=tuple(map(mended, f.remedies))) for f in findings]


def _as_json(finding: Finding, steps: Steps) -> dict[str, Any]:
    advice = [{"words": words, "command": command} for words, command in steps]
    said = {"level": finding.level, "topic": finding.topic, "text": finding.text}
    return said | {"advice": advice}


def _drift(config: DemonstrationsConfig, env: EnvConfig | None, first_seed: int) -> list[Finding]:
    from nppac_envs.demonstrations.resimulation import drift_findings

    if env is None:
        raise ConfigError("--replay needs --task KIND, the environment to simulate in")
    demonstrations = config.model_copy(update={"clip": True}).load()
    return drift_findings(demonstrations, env, first_seed=first_seed)
