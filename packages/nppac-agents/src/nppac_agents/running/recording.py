"""New demonstrations from a trained agent: its run is loaded and rolled out with action noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nppac_envs import Demonstrations
from nppac_envs.config import EnvConfig
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
    """Records successful episodes of a run's policy, sampling its actions, and saves them as npz.

    Episodes that do not succeed at their last step are played and left out. Seeds count up from
    ``first_seed``, so that the same command records the same episodes.

    Raises:
        ConfigError: too few episodes succeed: fewer than one in ten.
    """
    config = run_dir.config()
    policy = load_policy(run_dir)
    policy.generator.manual_seed(first_seed)
    kept: list[dict[str, np.ndarray]] = []
    played = 0
    with console.stage("recording", episodes) as stage:
        while len(kept) < episodes:
            if played >= 10 * episodes:
                raise ConfigError(
                    f"{run_dir.path}: only {len(kept)} of {played} episodes succeeded; "
                    "record from a better agent"
                )
            episode = play_episode(config.env, policy, first_seed + played)
            played += 1
            if episode["successes"][-1]:
                kept.append(episode)
                stage.advance(len(kept), played=played)
    demonstrations = _joined(kept, str(run_dir.path))
    demonstrations.save_npz(path)
    console.line(
        f"{path}: {episodes} successful episodes of {played} played, "
        f"{len(demonstrations.states):,} steps"
    )


def play_episode(env_config: EnvConfig, policy: ActingPolicy, seed: int) -> dict[str, np.ndarray]:
    """One episode with sampled actions, clipped to [-1, 1] as the environment sees them."""
    env = env_config.make()
    state, _ = env.reset(seed=seed)
    steps: list[tuple[np.ndarray, np.ndarray, float, bool]] = []
    ended = False
    while not ended:
        action = np.clip(policy.act(state[None], deterministic=False)[0], -1, 1)
        following, reward, terminated, truncated, info = env.step(action)
        steps.append((state, action, float(reward), bool(info["success"])))
        state, ended = following, terminated or truncated
    env.close()
    states, actions, rewards, successes = (np.array(column) for column in zip(*steps, strict=True))
    return {
        "states": states,
        "actions": actions,
        "rewards": rewards,
        "successes": successes,
        "final_states": state[None],
    }


def _joined(episodes: list[dict[str, np.ndarray]], source: str) -> Demonstrations:
    def join(name: str) -> np.ndarray:
        return np.concatenate([episode[name] for episode in episodes])

    return Demonstrations(
        join("states"),
        join("actions"),
        join("final_states"),
        np.array([len(episode["states"]) for episode in episodes]),
        rewards=join("rewards"),
        successes=join("successes"),
        source=source,
    )
