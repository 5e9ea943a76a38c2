"""New demonstrations from a run: its agent, or its prior, is rolled out with action noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from nppac_envs.demonstrations.recording import Policy, knows_success
from nppac_envs.demonstrations.recording import record as play
from nppac_priors import GaussianPrior, load_prior
from nppac_priors.errors import ConfigError

from nppac_agents.agent import Agent
from nppac_agents.parts.tensors import as_tensor
from nppac_agents.running import assembly
from nppac_agents.running.best import BEST
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.console import Console
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.saved_prior import recorded_prior
from nppac_agents.running.seeds import Seeds


def load_agent(run_dir: RunDirectory) -> Agent:
    """The agent of a run with its best policy so far, on the CPU.

    Raises:
        ConfigError: the directory holds no checkpoint.
        DataError, PriorFileError: the checkpoint or the prior is damaged, or the prior is another
            than that of the checkpoint.
    """
    config = run_dir.config()
    found = checkpoints(run_dir.checkpoints / BEST) or checkpoints(run_dir.checkpoints)
    if not found:
        raise ConfigError(f"{run_dir.path}: holds no checkpoint; let the run finish first")
    device = assembly.resolve_device("cpu")
    seeds = Seeds.of(config.seed)
    spaces, demonstrations = assembly.spaces_and_demonstrations(config)
    checkpoint = Checkpoint.load(found[-1])
    recorded = checkpoint.identity.prior_hash
    prior = None if recorded is None else recorded_prior(run_dir.prior, recorded, device)
    agent = assembly.build_agent(config, spaces, prior, demonstrations, seeds, device)
    agent.load_state(checkpoint.tensors["agent"])
    return agent


def sampling_agent(run_dir: RunDirectory, seed: int) -> Policy:
    """Actions sampled from the run's best policy."""
    agent = load_agent(run_dir)
    agent.acting.manual_seed(seed)
    return lambda state: agent.act(state[None], deterministic=False)[0]


def sampling_prior(run_dir: RunDirectory, seed: int) -> Policy:
    """Actions sampled from the prior that the run fitted.

    Raises:
        ConfigError: it fitted none, or one without a mean and a standard deviation.
    """
    prior = load_prior(run_dir.prior) if run_dir.prior.exists() else None
    if not isinstance(prior, GaussianPrior):
        raise ConfigError(f"{run_dir.path}: holds no Gaussian prior; record the agent instead")
    generator = torch.Generator().manual_seed(seed)

    def act(state: np.ndarray) -> np.ndarray:
        mean, std = prior.moments(as_tensor(state[None], "cpu"))
        return (mean + std * torch.randn(mean.shape, generator=generator))[0].numpy()

    return act


def record(
    run_dir: RunDirectory,
    episodes: int,
    first_seed: int,
    console: Console,
    path: Path,
    *,
    prior: bool = False,
) -> None:
    """Record episodes of a run's policy, sampling its actions, and save them as npz.

    Where the task knows success, episodes that do not succeed at their last step are played and
    left out. Seeds count up from ``first_seed``, so that the same command records the same
    episodes. With ``prior`` the run's prior acts in place of its agent.

    Raises:
        ConfigError: too few episodes succeed: fewer than one in ten.
    """
    config = run_dir.config()
    if config.env is None:
        raise ConfigError(f"{run_dir.path}: its experiment names no environment to record in")
    policy = (sampling_prior if prior else sampling_agent)(run_dir, first_seed)
    with console.stage("recording", episodes) as stage:
        demonstrations, played = play(
            config.env,
            policy,
            episodes,
            first_seed=first_seed,
            keep="at-end" if knows_success(config.env) else "all",
            source=str(run_dir.path),
            on_episode=lambda kept, played: stage.advance(kept, played=played),
        )
    demonstrations.save_npz(path)
    console.line(f"{path}: {episodes} episodes of {played} played, {len(demonstrations):,} steps")
