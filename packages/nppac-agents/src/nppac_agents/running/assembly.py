"""Builds the parts of an experiment and checks that they fit before anything runs."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from nppac_envs import Demonstrations, EnvConfig
from nppac_envs.checked import make_checked
from nppac_envs.checked_goals import checked_goals
from nppac_envs.demonstrations.action_map import with_bounds_of
from nppac_envs.demonstrations.dataset import REWARDS
from nppac_envs.errors import DataError
from nppac_envs.foreign.adapted import action_bounds
from nppac_priors import Prior
from nppac_priors.errors import ConfigError
from nppac_priors.plugin_origin import broken_contract, described

from nppac_agents.agent import Agent
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.consistency import without_environment
from nppac_agents.requirements import require_same_dimensions
from nppac_agents.running.console import Console
from nppac_agents.running.seeds import Seeds
from nppac_agents.spaces import Spaces


def spaces_and_demonstrations(config: ExperimentConfig) -> tuple[Spaces, Demonstrations | None]:
    """The environment's spaces, and the demonstrations, checked against it.

    Actions that were recorded with other bounds than the environment's are mapped to its own.
    Without an environment the spaces are those of the demonstrations.

    Raises:
        DataError: the demonstrations cannot be read, or have actions beyond its bounds.
        ConfigError: the spaces are not the boxes that agents need, the demonstrations are of other
            dimensions, or the agent exchanges goals and the environment states none.
        FaultyEnvironmentError: the environment cannot be made, or its goals are not as it states.
    """
    demonstrations = None if config.demonstrations is None else config.demonstrations.load()
    if config.env is None:
        assert demonstrations is not None
        return _spaces_of(demonstrations), demonstrations
    with contextlib.closing(make_checked(config.env)) as env:
        boxes: Any = env.observation_space, env.action_space
        spaces = Spaces(*boxes, rewards=config.env.reward_range)
        bounds = action_bounds(env)
    if config.agent.goal_shares() is not None:
        spaces = spaces._replace(goals=checked_goals(config.env))
    if demonstrations is not None:
        theirs = demonstrations.state_dim, demonstrations.action_dim
        ours = spaces.state_dim, spaces.action_dim
        require_same_dimensions(demonstrations.source, theirs, config.env.shown_as, ours)
        demonstrations = with_bounds_of(demonstrations, bounds, config.env.shown_as)
    return spaces, demonstrations


def _spaces_of(demonstrations: Demonstrations) -> Spaces:
    return Spaces(
        Box(-np.inf, np.inf, (demonstrations.state_dim,), np.float32),
        Box(-1.0, 1.0, (demonstrations.action_dim,), np.float32),
    )


def fit_prior(
    config: ExperimentConfig,
    demonstrations: Demonstrations | None,
    seeds: Seeds,
    device: torch.device,
    console: Console,
) -> Prior | None:
    """The behavioural prior, fitted to the demonstrations.

    Raises:
        PluginFaultError, ContractError: what its config returns is no prior of these data.
    """
    if config.prior is None or demonstrations is None:
        return None
    return config.prior.fit(
        demonstrations.states,
        demonstrations.actions,
        episode_lengths=demonstrations.episode_lengths,
        device=device,
        generator=seeds.prior,
        progress=console.prior_progress,
    )


def build_agent(
    config: ExperimentConfig,
    spaces: Spaces,
    prior: Prior | None,
    demonstrations: Demonstrations | None,
    seeds: Seeds,
    device: torch.device,
) -> Agent:
    """The untrained agent; it sees the demonstrations with the environment's own rewards.

    Raises:
        ConfigError: the parts do not fit, or it interacts with an environment that there is not.
    """
    if demonstrations is not None and config.env is not None:
        demonstrations = with_task_rewards(demonstrations, config.env)
    agent = config.agent.build(spaces, prior, demonstrations, device=device, generator=seeds.agent)
    if not isinstance(agent, Agent):
        problem = f"build() returned {described(agent)}, has to return an Agent"
        raise broken_contract(config.agent, "agent", problem)
    if config.env is None and config.training.env_steps and any(p.interacts for p in agent.phases):
        raise ConfigError(without_environment(config.agent.kind))
    return agent


def with_task_rewards(demonstrations: Demonstrations, env: EnvConfig) -> Demonstrations:
    """Demonstrations whose rewards are those of the environment, or None where nobody can tell.

    Rewards that follow from success are derived from it, others are taken as recorded: but not for
    a shaped reward where only success was recorded, as two values.
    """
    reward = getattr(env, "reward", None)
    if reward in REWARDS:
        try:
            return demonstrations.relabelled(reward, task=env.kind)
        except DataError:
            return dataclasses.replace(demonstrations, rewards=None)
    recorded = demonstrations.rewards
    if reward is None or recorded is None or len(np.unique(recorded)) > 2:
        return demonstrations
    return dataclasses.replace(demonstrations, rewards=None)
