"""More environment steps for a run than it was started with: what has to hold, what is said."""

from __future__ import annotations

from nppac_priors.errors import ConfigError

from nppac_agents.agent import Agent
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.checkpoint import Checkpoint
from nppac_agents.running.run_directory import RunDirectory

STEPS = "training.env_steps"


def require_extensible(
    run_dir: RunDirectory, config: ExperimentConfig, agent: Agent, checkpoint: Checkpoint | None
) -> None:
    """Refuses another number of environment steps where it makes no sense.

    Args:
        run_dir: as it was resumed; its changes say whether the number changes.
        config: with the new number.
        agent: of the run.
        checkpoint: that it goes on from; None where there is none yet.

    Raises:
        ConfigError: the agent interacts with no environment, or the run has made more steps.
    """
    if STEPS not in run_dir.changes:
        return
    if config.env is None or not agent.phases[-1].interacts:
        raise ConfigError(
            f"{STEPS}: agent {config.agent.kind!r} ends without interaction here, so that more "
            "steps change nothing; raise its number of updates in a new run"
        )
    done = 0 if checkpoint is None else checkpoint.position["env_steps"]
    if config.training.env_steps < done:
        raise ConfigError(
            f"{STEPS}: {config.training.env_steps:,} is below the {done:,} that {run_dir.path} has "
            "made; give more"
        )


def differences(
    run_dir: RunDirectory, config: ExperimentConfig, checkpoint: Checkpoint
) -> list[str]:
    """What tells an extended run from one that was started with as many steps, one line each.

    Nothing of what it learns, on the same machine and versions, if its environments can be saved.

    Args:
        run_dir: as it was resumed.
        config: with the new number.
        checkpoint: that it goes on from.
    """
    before, _ = run_dir.changes.get(STEPS, (None, None))
    done, every = checkpoint.position["env_steps"], config.evaluation.every
    previous = done - config.training.n_envs
    if before is None or done < before or done // every > previous // every:
        return []
    return [
        f"the evaluation at {done:,} steps, where the run ended before, is one more than a run of "
        f"{config.training.env_steps:,} steps makes; it counts for the best policy, and leaves "
        "learning as it is"
    ]
