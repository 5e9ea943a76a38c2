"""New demonstrations from a trained agent: its run is loaded and rolled out with action noise."""

from __future__ import annotations

from pathlib import Path

from nppac_envs.demonstrations.recording import record as play
from nppac_priors import load_prior
from nppac_priors.errors import ConfigError

from nppac_agents.acting import ActingPolicy
from nppac_agents.running import assembly
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.console import Console
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.seeds import Seeds


def load_policy(run_dir: RunDirectory) -> ActingPolicy:
    """The policy of a run's latest checkpoint, on the CPU.

    Raises:
        ConfigError: the directory holds no checkpoint.
    """
    config = run_dir.config()
    found = checkpoints(run_dir.checkpoints)
    if not found:
        raise ConfigError(f"{run_dir.path}: holds no checkpoint; let the run finish first")
    device = assembly.resolve_device("cpu")
    seeds = Seeds.of(config.seed)
    spaces = assembly.env_spaces(config)
    demonstrations = assembly.load_demonstrations(config, spaces)
    prior = load_prior(run_dir.prior, device=device) if run_dir.prior.exists() else None
    agent = assembly.build_agent(config, spaces, prior, demonstrations, seeds, device)
    agent.load_state(Checkpoint.load(found[-1]).tensors["agent"])
    return agent.policy


def record(
    run_dir: RunDirectory, episodes: int, first_seed: int, console: Console, path: Path
) -> None:
    """Records episodes of a run's policy, sampling its actions, and saves them as npz.

    Where the task knows success, episodes that do not succeed at their last step are played and
    left out. Seeds count up from ``first_seed``, so that the same command records the same
    episodes.

    Raises:
        ConfigError: too few episodes succeed: fewer than one in ten.
    """
    config = run_dir.config()
    policy = load_policy(run_dir)
    policy.generator.manual_seed(first_seed)
    with console.stage("recording", episodes) as stage:
        demonstrations, played = play(
            config.env,
            lambda state: policy.act(state[None], deterministic=False)[0],
            episodes,
            first_seed=first_seed,
            keep="at-end" if config.env.has_success else "all",
            source=str(run_dir.path),
            on_episode=lambda kept, played: stage.advance(kept, played=played),
        )
    demonstrations.save_npz(path)
    console.line(f"{path}: {episodes} episodes of {played} played, {len(demonstrations):,} steps")
