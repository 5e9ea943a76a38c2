"""`nppac-demos doctor`: what is wrong with a set, and what to do about it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.source_options import source_configs
from nppac_envs.config import EnvConfig
from nppac_envs.demonstrations.config import DemonstrationsConfig
from nppac_envs.demonstrations.doctor import examine
from nppac_envs.demonstrations.findings import Finding
from nppac_envs.environments import env_config, setting
from nppac_envs.errors import ConfigError


def doctor(arguments: argparse.Namespace) -> int:
    """Print findings; fails if one of them is an error."""
    config = source_configs(arguments)[0]
    env = None
    if arguments.task is not None:
        env = env_config(arguments.task, dict(map(setting, arguments.set)))
    findings = examine(config, arguments.task)
    if arguments.replay and not any(finding.topic == "not finite" for finding in findings):
        findings += _drift(config, env, arguments.first_seed)
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            print(f"{finding.level + ':':<9} {finding.topic}: {finding.text}")
            print(f"{'':<9} -> {finding.advice}")
        counts = {
            level: sum(finding.level == level for finding in findings)
            for level in ("error", "warning", "note")
        }
        shown = ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in counts.items() if n)
        print(f"{config.where()}: {shown or 'nothing found'}")
    failed = any(finding.level == "error" for finding in findings)
    return ExitCode.FAILED if failed else ExitCode.DONE


def _drift(config: DemonstrationsConfig, env: EnvConfig | None, first_seed: int) -> list[Finding]:
    from nppac_envs.demonstrations.resimulation import drift_findings

    if env is None:
        raise ConfigError("--replay needs --task KIND, the environment to simulate in")
    demonstrations = config.model_copy(update={"clip": True}).load()
    return drift_findings(demonstrations, env, first_seed=first_seed)
