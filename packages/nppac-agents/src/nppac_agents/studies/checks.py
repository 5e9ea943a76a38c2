"""What can be known to be wrong with a study before its first run starts."""

from __future__ import annotations

from collections.abc import Sequence

from nppac_envs.errors import EnvsError
from nppac_priors.errors import ConfigError, NppacError

from nppac_agents.device import resolve_device
from nppac_agents.running import assembly
from nppac_agents.studies.expansion import Point


def check_parts(points: Sequence[Point]) -> None:
    """Open every environment and every data set once, and look whether they fit each other.

    Raises:
        ConfigError: a line for each point whose parts cannot be had here, or do not fit.
    """
    problems: list[str] = []
    seen: dict[str, str] = {}
    for point in points:
        parts = point.config.model_dump_json(include={"env", "demonstrations", "device"})
        if parts not in seen:
            seen[parts] = _problem(point)
        if seen[parts]:
            problems.append(f"{point.name}: {seen[parts]}")
    if problems:
        raise ConfigError("\n".join(problems))


def _problem(point: Point) -> str:
    try:
        resolve_device(point.config.device)
        assembly.spaces_and_demonstrations(point.config)
    except (NppacError, EnvsError) as error:
        return " ".join(str(error).split())
    return ""
