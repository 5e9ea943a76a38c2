"""Time that the prior takes per environment step beside the time of an update.

Door, residual start, the paper's networks and batch size: one run of interaction and updates in
turn, the prior's calls timed inside it. Prints one JSON object.

    python benchmarks/prior_cost.py examples/door-nppac.json [--prior prior.safetensors]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.running import assembly
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.seeds import Seeds
from nppac_priors import GaussianPrior, load_prior


class Timed:
    """Adds up the seconds of a function's calls."""

    def __init__(self, function) -> None:
        self.function = function
        self.seconds = 0.0

    def __call__(self, *arguments):
        start = time.perf_counter()
        result = self.function(*arguments)
        self.seconds += time.perf_counter() - start
        return result


def main() -> None:
    """Prints both times and their ratio, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--prior", type=Path, help="a fitted prior, to save the fit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100, help="steps of all environments")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    paper = {"batch_size": 1024, "policy_hidden": (256,) * 4, "critic_hidden": (256, 256)}
    config = load_experiment(arguments.config)
    config = config.model_copy(update={"agent": config.agent.model_copy(update=paper)})
    console, seeds = PlainConsole(sys.stdout), Seeds.of(0)
    spaces, demonstrations = assembly.spaces_and_demonstrations(config)
    device = torch.device("cpu")
    if arguments.prior:
        prior = load_prior(arguments.prior)
    else:
        prior = assembly.fit_prior(config, demonstrations, seeds, device, console)
    assert isinstance(prior, GaussianPrior)
    agent = assembly.build_agent(config, spaces, prior, demonstrations, seeds, device)
    n_envs = config.training.n_envs
    replay = agent.make_replay(10_000, n_envs, seeds.replay)
    rollouts = Rollouts(config.env, n_envs, agent, replay, seed=0)
    for _ in range(5):
        rollouts.step()
        agent.step(replay.sample_transitions(1024))
    prior.moments = asking = Timed(prior.moments)
    update = Timed(lambda: agent.step(replay.sample_transitions(1024)))
    for step in range(arguments.steps):
        rollouts.step()
        if step % 4 == 0:
            update()
    per_step = asking.seconds / (arguments.steps * n_envs)
    per_update = update.seconds / ((arguments.steps + 3) // 4)
    result = {
        "task": config.env.kind,
        "environments": n_envs,
        "prior_ms_per_environment_step": round(1e3 * per_step, 3),
        "update_ms": round(1e3 * per_update, 2),
        "prior_over_update": round(per_step / per_update, 4),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
