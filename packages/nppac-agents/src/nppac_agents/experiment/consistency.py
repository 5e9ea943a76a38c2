"""What cannot work whatever the data are: told before anything is read or fitted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nppac_envs.demonstrations.dataset import REWARDS
from nppac_envs.demonstrations.shipped import ShippedConfig, shipped_tasks
from nppac_envs.errors import ConfigError as EnvsConfigError
from nppac_envs.errors import EnvsError
from nppac_priors.errors import ConfigError, NppacError

from nppac_agents.device import resolve_device
from nppac_agents.requirements import (
    no_goals,
    not_gaussian,
    require_room,
    require_same_dimensions,
    unknown_rewards,
)
from nppac_agents.spaces import Spaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nppac_agents.experiment.config import ExperimentConfig


def require_consistent(config: ExperimentConfig) -> None:
    """Looks whether the parts of an experiment go together, and can be had here.

    Of demonstrations nothing is read but what a set says of itself, and nothing is imported that
    an environment is made of.

    Raises:
        ConfigError: they do not go together, a logger cannot be opened, or an environment is not
            there; one line for each problem.
    """
    problems: list[Exception] = []
    for check in (_loggers, _environment, _prior, _demonstrations, _steps, _selection):
        try:
            check(config)
        except (ConfigError, EnvsConfigError) as error:
            problems.append(error)
    if problems:
        raise ConfigError("\n".join(map(str, problems))) from problems[0]


def _loggers(config: ExperimentConfig) -> None:
    config.logging.require()


def _environment(config: ExperimentConfig) -> None:
    """It is there, or the agent needs none."""
    if config.env is not None:
        config.env.require()
    elif config.training.env_steps and config.agent.trainer != "offline":
        raise ConfigError(without_environment(config.agent.kind))
    elif config.agent.goal_shares() is not None:
        raise no_goals(config.agent.kind)


def _prior(config: ExperimentConfig) -> None:
    """The agent uses it, and it is of the distribution that the agent needs."""
    agent, prior = config.agent, config.prior
    if prior is not None and not agent.uses_prior:
        raise ConfigError(f"prior: agent {agent.kind!r} uses none; set prior to null")
    if config.demonstrations is None:
        agent.require(_some_spaces(), None, None)
    elif prior is None and agent.uses_prior:
        agent.require_prior(_some_spaces(), None)
    elif prior is not None and prior.gaussian is False and agent.needs_gaussian_prior():
        raise not_gaussian(agent.kind, prior.kind)


def _demonstrations(config: ExperimentConfig) -> None:
    """They are of the task as far as a set tells, and the agent's rewards can be known."""
    env, agent, source = config.env, config.agent, config.demonstrations
    if source is None:
        return
    recorded = source.recorded_in if isinstance(source, ShippedConfig) else {}
    if recorded and env is not None and env.kind in shipped_tasks() - {recorded["kind"]}:
        raise ConfigError(
            f"demonstrations: {source.where()} is of the task {recorded['kind']!r}, env is "
            f"{env.shown_as}; use demonstrations of this task"
        )
    if env is not None and (ours := env.dimensions) and (theirs := source.dimensions()):
        require_same_dimensions(source.where(), theirs, env.shown_as, ours)
    reward = getattr(env, "reward", None)
    unknown = source.drop_rewards or (reward is not None and recorded.get("reward") in REWARDS)
    needs = agent.demonstrations_in_replay or agent.demonstrations_for is not None
    if needs and agent.needs_rewards and unknown and reward not in REWARDS:
        raise unknown_rewards(agent.kind, source.where())


def _steps(config: ExperimentConfig) -> None:
    """They are enough for an update, if none comes before, and the replay holds what it takes."""
    agent, training = config.agent, config.training
    require_steps_to_learn(agent.collected_steps(), training.env_steps)
    require_room(agent.kind, agent.consumed_steps(), training.replay_capacity, training.n_envs)
    made = math.ceil(training.env_steps / training.n_envs) * training.n_envs
    if made == 0 or agent.learns_offline():
        return
    if agent.trainer == "off-policy" and made <= training.start_steps:
        raise ConfigError(
            f"training: the first {training.start_steps:,} environment steps earn no update "
            f"(start_steps), env_steps are {training.env_steps:,} in all; raise these or lower it"
        )
    if made < agent.consumed_steps():
        raise ConfigError(
            f"training: agent {agent.kind!r} takes {agent.consumed_steps():,} environment steps "
            f"for an update, env_steps are {training.env_steps:,} in all; raise these or lower "
            "agent.steps_per_update"
        )


def _selection(config: ExperimentConfig) -> None:
    """The environment tells the measure by which the best policy is kept."""
    measure = config.evaluation.select_by
    if config.env is not None and config.env.has_success is False and measure != "return_mean":
        raise ConfigError(
            f"evaluation.select_by: {config.env.kind} has no success, so no {measure!r}; "
            "set it to 'return_mean'"
        )


def require_steps_to_learn(collected: int, env_steps: int) -> None:
    """Refuses rollouts without updates that leave no environment steps for learning.

    Raises:
        ConfigError: they do.
    """
    if collected and collected >= env_steps:
        raise ConfigError(
            f"agent: its rollouts take {collected:,} environment steps, training.env_steps are "
            f"{env_steps:,} in all; raise these or shorten the rollouts"
        )


def not_here(config: ExperimentConfig) -> Iterator[str]:
    """A line for each file and device of an experiment that is not here, as a run would say it."""
    parts = [part for part in (config.demonstrations, config.prior) if part is not None]
    looks: list[Callable[[], object]] = [part.require_files for part in parts]
    if config.device == "cuda":
        looks.append(lambda: resolve_device("cuda"))
    for look in looks:
        try:
            look()
        except (EnvsError, NppacError) as error:
            yield str(error)


def without_environment(kind: str) -> str:
    """What is told of an agent that interacts with an environment that there is not."""
    return (
        f"env: agent {kind!r} interacts with an environment; name one, or set training.env_steps "
        "to 0 for what it learns from demonstrations alone"
    )


def _some_spaces() -> Spaces:
    """Spaces of any size: no method looks at them before it has a prior."""
    import numpy as np
    from gymnasium.spaces import Box

    return Spaces(Box(-np.inf, np.inf, (1,), np.float32), Box(-1.0, 1.0, (1,), np.float32))
