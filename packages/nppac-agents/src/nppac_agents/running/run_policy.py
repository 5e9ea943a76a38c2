"""A policy of a run by its name, ready to act: best, last, a checkpoint's, or the prior."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from nppac_priors import GaussianPrior, load_prior
from nppac_priors.errors import ConfigError

from nppac_agents.agent import Agent
from nppac_agents.data.replay import TensorReplay
from nppac_agents.data.transitions import Transitions
from nppac_agents.parts.tensors import as_tensor
from nppac_agents.running import assembly
from nppac_agents.running.best import BEST
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.evaluation import Actor
from nppac_agents.running.kept_factors import recall_factors
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.same_environment import require_same_environment
from nppac_agents.running.saved_prior import recorded_prior
from nppac_agents.running.seeds import Seeds


class SeededActor(Actor, Protocol):
    """An agent, or a prior, with the generator of its noise."""

    acting: torch.Generator


@dataclass(frozen=True, repr=False)
class RunPolicy:
    """A policy of a run, on the CPU.

    Attributes:
        name: `best`, `last`, `prior`, or the checkpoint's.
        env_steps: environment steps that it had learned from; None of the prior.
        actor: what acts.
    """

    name: str
    env_steps: int | None
    actor: SeededActor

    @property
    def shown_as(self) -> str:
        """Its name, and when it was."""
        return self.name if self.env_steps is None else f"{self.name}, at {self.env_steps:,} steps"

    def act(self, states: np.ndarray) -> np.ndarray:
        """Deterministic actions (B, A) in [-1, 1], clipped, at states (B, S)."""
        return np.clip(self.actor.act(states, deterministic=True), -1.0, 1.0)

    def __repr__(self) -> str:
        """Which it is, and what acts."""
        return f"<RunPolicy {self.shown_as}: {type(self.actor).__name__}>"


class PriorActor:
    """A prior in place of an agent: its mean, or samples of its normal."""

    def __init__(self, prior: GaussianPrior) -> None:
        self.prior = prior
        self.acting = torch.Generator()

    def act(self, states: np.ndarray, *, deterministic: bool) -> np.ndarray:
        """Raw (not clipped) actions (B, A) at states (B, S)."""
        inputs = as_tensor(states, "cpu")
        if deterministic:
            return self.prior.mean(inputs).numpy()
        mean, std = self.prior.moments(inputs)
        return (mean + std * torch.randn(mean.shape, generator=self.acting)).numpy()


def run_policy(run_dir: RunDirectory, name: str | None = None) -> RunPolicy:
    """A policy of a run.

    Args:
        run_dir: of the run.
        name: `best`, `last`, `prior`, or a checkpoint's file name or stem; None for the best, or
            the last of a run that chose none.

    Raises:
        ConfigError: the run has no such policy.
        DataError, PriorFileError: the checkpoint or the prior is damaged, or the prior is another
            than that of the checkpoint.
    """
    if name == "prior":
        return RunPolicy(name, None, PriorActor(_gaussian_prior(run_dir)))
    name, path = checkpoint_file(run_dir, name)
    checkpoint = Checkpoint.load(path)
    return RunPolicy(name, checkpoint.position["env_steps"], _agent(run_dir, checkpoint))


def load_agent(run_dir: RunDirectory, name: str | None = None) -> Agent:
    """The agent with a policy of a run, on the CPU; `name` and errors as in `run_policy`."""
    return _agent(run_dir, Checkpoint.load(checkpoint_file(run_dir, name)[1]))


def visited(run_dir: RunDirectory, agent: Agent) -> Transitions:
    """The transitions in the replay of the latest checkpoint; maybe none.

    Environment after environment, each from its oldest to its newest, as `TensorReplay.in_order`
    gives them.
    """
    return last_replay(run_dir, agent).in_order()


def last_replay(run_dir: RunDirectory, agent: Agent) -> TensorReplay:
    """The replay of the latest checkpoint, on the CPU.

    Args:
        run_dir: of the run.
        agent: of the run, for the columns.
    """
    _, path = checkpoint_file(run_dir, "last")
    training = run_dir.config().training
    replay = TensorReplay(
        training.replay_capacity,
        training.n_envs,
        agent.layout,
        observed=None,
        generator=torch.Generator(),
    )
    replay.load_state(Checkpoint.load(path).tensors["replay"])
    return replay


def checkpoint_file(run_dir: RunDirectory, name: str | None) -> tuple[str, Path]:
    """A policy's name, and its file.

    Args:
        run_dir: of the run.
        name: as `run_policy` takes it, but for `prior`.

    Raises:
        ConfigError: the run has no such policy.
    """
    best, all_of_them = (checkpoints(folder) for folder in _folders(run_dir))
    if not best and not all_of_them:
        run_dir.config()
        raise ConfigError(f"{run_dir.path}: holds no checkpoint; let the run finish first")
    if name is None:
        name = "best" if best else "last"
    named = {path.stem: path for path in all_of_them}
    if name == "best" and best:
        return name, best[-1]
    if name == "last" and all_of_them:
        return name, all_of_them[-1]
    stem = Path(name).name.removesuffix(".safetensors")
    if stem in named:
        return stem, named[stem]
    there = [*(["best"] if best else []), *(["last"] if named else []), *named]
    raise ConfigError(f"{run_dir.path}: has no policy {name!r}; it has {', '.join(there)}")


def _folders(run_dir: RunDirectory) -> tuple[Path, Path]:
    return run_dir.checkpoints / BEST, run_dir.checkpoints


def _agent(run_dir: RunDirectory, checkpoint: Checkpoint) -> Agent:
    config = run_dir.config()
    if config.env is not None:
        require_same_environment(run_dir.environment, config.env.details())
    device = torch.device("cpu")
    spaces, demonstrations = assembly.spaces_and_demonstrations(config)
    recorded = checkpoint.identity.prior_hash
    prior = None
    if recorded is not None:
        prior = recorded_prior(run_dir.prior, recorded, device)
        recall_factors(prior, run_dir.prior_factors)
    seeds = Seeds.of(config.seed)
    agent = assembly.build_agent(config, spaces, prior, demonstrations, seeds, device)
    agent.load_state(checkpoint.tensors["agent"])
    return agent


def _gaussian_prior(run_dir: RunDirectory) -> GaussianPrior:
    prior = load_prior(run_dir.prior) if run_dir.prior.exists() else None
    if not isinstance(prior, GaussianPrior):
        raise ConfigError(f"{run_dir.path}: holds no Gaussian prior; take the best policy instead")
    recall_factors(prior, run_dir.prior_factors)
    return prior
