"""What `environment.json` says: versions, plugins, commit, machine and data of a run."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from typing import Any

from nppac_priors.plugin_loading import version_of
from pydantic import BaseModel

from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.registries import registries

_DISTRIBUTIONS = (
    "nppac-agents",
    "nppac-envs",
    "nppac-priors",
    "gpytorch",
    "gymnasium",
    "gymnasium-robotics",
    "minari",
    "mujoco",
    "numpy",
    "pluggy",
    "pydantic",
    "pyro-ppl",
    "safetensors",
    "tianshou",
    "torch",
)


def describe_environment(
    config: ExperimentConfig,
    *,
    device: str,
    demonstrations_hash: str | None,
    env: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything a run depends on beside its config.

    Args:
        config: of the run.
        device: in words, such as `"cuda: NVIDIA H200"`.
        demonstrations_hash: SHA-256 of the demonstrations as used, if there are any.
        env: what making the environment told (`EnvConfig.details`).

    Returns:
        JSON: python, platform, host, device, cpu_count, packages (version by distribution; None
        for what is not installed), plugins (what, kind, class, distribution and version of every
        component that the config uses), env, git (commit and whether files differ from it; None
        outside a repository) and demonstrations_hash.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "device": device,
        "cpu_count": os.cpu_count(),
        "packages": {name: _version(name) for name in _DISTRIBUTIONS},
        "plugins": _plugins(config),
        "env": env,
        "git": _git(),
        "demonstrations_hash": demonstrations_hash,
    }


def _version(distribution: str) -> str | None:
    version = version_of(distribution)
    return None if version == "unknown" else version


def _plugins(config: ExperimentConfig) -> list[dict[str, str]]:
    used = {type(part) for part in _parts(config)}
    return [
        {
            "what": registry.noun,
            "kind": component.kind,
            "class": f"{component.cls.__module__}.{component.cls.__qualname__}",
            "distribution": component.distribution,
            "version": component.version,
        }
        for registry in registries()
        for component in registry.components.values()
        if component.cls in used
    ]


def _parts(value: object) -> Iterator[BaseModel]:
    """Every config within a config, itself included: a prior may be made of priors."""
    if isinstance(value, BaseModel):
        yield value
        for _, item in value:
            yield from _parts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        yield from _parts(list(value.values()))


def _git() -> dict[str, Any] | None:
    """The commit of the repository that the command runs in."""
    commit = _run_git("rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "modified": _run_git("status", "--porcelain") != ""}


def _run_git(*arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
