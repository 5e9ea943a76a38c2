"""New demonstrations from a run: one of its policies is rolled out, with noise or without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nppac_envs.demonstrations.recording import Policy, few_successes, knows_success
from nppac_envs.demonstrations.recording import record as play
from nppac_priors.errors import ConfigError

from nppac_agents.running.console import Console
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import run_policy


def record(
    run_dir: RunDirectory,
    episodes: int,
    first_seed: int,
    console: Console,
    path: Path,
    *,
    policy: str | None = None,
    deterministic: bool = False,
    keep_all: bool = False,
) -> None:
    """Record episodes of a run's policy and save them as npz.

    Where the task knows success, episodes that do not succeed at their last step are played and
    left out. Seeds count up from `first_seed`, so that the same command records the same
    episodes.

    Args:
        run_dir: of the run.
        episodes: to keep.
        first_seed: reset seed of the first one.
        console: where progress goes.
        path: an npz file.
        policy: which, as `run_policy` takes it.
        deterministic: act without noise.
        keep_all: keep episodes that fail, too.

    Raises:
        ConfigError: too few episodes succeed: fewer than one in ten.
    """
    config = run_dir.config()
    if config.env is None:
        raise ConfigError(f"{run_dir.path}: its experiment names no environment to record in")
    act = acting(run_dir, policy, seed=first_seed, deterministic=deterministic)
    with console.stage("recording", episodes) as stage:
        demonstrations, played = play(
            config.env,
            act,
            episodes,
            first_seed=first_seed,
            keep="at-end" if not keep_all and knows_success(config.env) else "all",
            source=str(run_dir.path),
            on_episode=lambda kept, played: stage.advance(kept, played=played),
        )
    demonstrations.save_npz(path)
    console.line(f"{path}: {episodes} episodes of {played} played, {len(demonstrations):,} steps")
    if (remark := few_successes(episodes, played)) is not None:
        console.line(f"warning: {remark}")


def acting(
    run_dir: RunDirectory, policy: str | None = None, *, seed: int, deterministic: bool = False
) -> Policy:
    """A policy of a run as a function from a state (S,) to an action (A,).

    Args:
        run_dir: of the run.
        policy: which, as `run_policy` takes it.
        seed: of its noise.
        deterministic: act without noise.
    """
    actor = run_policy(run_dir, policy).actor
    actor.acting.manual_seed(seed)

    def act(state: np.ndarray) -> np.ndarray:
        return actor.act(state[None], deterministic=deterministic)[0]

    return act
