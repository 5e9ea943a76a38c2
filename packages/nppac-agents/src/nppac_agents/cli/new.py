"""`nppac-run new`: a starter experiment from a data file and an environment."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

from nppac_priors.cli.exit_code import ExitCode


def new(arguments: argparse.Namespace) -> int:
    """Write an experiment file that fits the data and the environment, and say what to do next."""
    from nppac_envs import DataError
    from nppac_envs.demonstrations.locations import locate
    from nppac_priors import FilePriorConfig
    from nppac_priors.atomic_files import write_json
    from nppac_priors.errors import ConfigError

    from nppac_agents.experiment.starter import starter

    if arguments.output.exists():
        raise ConfigError(f"{arguments.output}: is there already; name another with --output")
    source = locate(arguments.demonstrations)
    try:
        data = source.load()
    except DataError as error:
        if not error.settings:
            raise
        raise ConfigError(
            f"{error.in_options()} (options of nppac-demos convert; name here what it writes)"
        ) from error
    if arguments.prior is not None:
        FilePriorConfig(path=arguments.prior).fit(data.states, data.actions)
    env = None
    if arguments.env is not None:
        env = _environment(arguments, data.state_dim, data.action_dim)
    named = source.model_dump(mode="json", exclude_defaults=True)
    experiment = starter(env, {"source": source.source, **named}, data, arguments.prior)
    write_json(arguments.output, experiment)
    for line in experiment["$comment"]:
        print(line)
    print(f"wrote {arguments.output}; next: nppac-run {arguments.output} --dry-run")
    return ExitCode.DONE


def _environment(arguments: argparse.Namespace, *dimensions: int) -> dict[str, Any]:
    """The field `env` with its horizon, on which settings depend; made once to see that it fits."""
    from nppac_envs.checked import make_checked
    from nppac_envs.environments import setting
    from nppac_priors.errors import ConfigError

    from nppac_agents.experiment.registries import env_registry

    settings = dict(map(setting, arguments.set))
    env = {"kind": arguments.env, **settings}
    if arguments.env not in env_registry().components:
        env = {"kind": "gymnasium", "id": arguments.env, **settings}
    config: Any = env_registry().parse(env, "env")
    with contextlib.closing(make_checked(config)) as made:
        spaces: Any = made.observation_space, made.action_space
        horizon = config.horizon or (made.spec and made.spec.max_episode_steps)
        found = tuple(space.shape[0] for space in spaces)
    if found != dimensions:
        raise ConfigError(
            f"{arguments.demonstrations}: has {dimensions[0]} state and {dimensions[1]} action "
            f"dimensions, environment {config.shown_as} has {found[0]} and {found[1]}; they are of "
            "different tasks, or lack columns"
        )
    return env | ({"horizon": horizon} if horizon else {})
