"""What can be known to be wrong with a study before its first run starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nppac_envs.checked import make_checked
from nppac_envs.errors import EnvsError
from nppac_priors.errors import ConfigError, NppacError

from nppac_agents.device import resolve_device
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.consistency import require_consistent
from nppac_agents.running import assembly
from nppac_agents.studies.expansion import Point


def check_parts(points: Sequence[Point], *, fetch: bool = True) -> None:
    """Look at every experiment; open every environment and data set once, to see that they fit.

    Args:
        points: the experiments.
        fetch: open sets that have to be fetched for it, too.

    Raises:
        ConfigError: a line for each problem of a point whose parts do not go together, cannot be
            had here, or do not fit.
    """
    problems: list[str] = []
    seen: dict[str, list[str]] = {}
    for point in points:
        found = _told(lambda config=point.config: require_consistent(config))
        parts = point.config.model_dump_json(include={"env", "demonstrations", "device"})
        if not found and parts not in seen:
            seen[parts] = _told(lambda config=point.config: _open(config, fetch))
        problems += [f"{point.name}: {line}" for line in found or seen[parts]]
    if problems:
        raise ConfigError("\n".join(problems))


def waits_for_a_server(config: ExperimentConfig) -> bool:
    """Whether the demonstrations are still to be fetched."""
    return config.demonstrations is not None and config.demonstrations.is_to_be_fetched()


def _open(config: ExperimentConfig, fetch: bool) -> None:
    resolve_device(config.device)
    if fetch or not waits_for_a_server(config):
        assembly.spaces_and_demonstrations(config)
    elif config.env is not None:
        make_checked(config.env).close()


def _told(look: Callable[[], None]) -> list[str]:
    """What a look says is wrong, one line for each problem."""
    try:
        look()
    except (NppacError, EnvsError) as error:
        return [" ".join(line.split()) for line in str(error).splitlines()]
    return []
