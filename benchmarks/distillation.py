"""How far a distilled policy of a run is off, and what a query of it costs.

    taskset -c 1 python benchmarks/distillation.py runs/door --points 250 500 1000

The policy is the one that `nppac-run export RUN FOLDER --distil POINTS` writes, held against the
one without `--distil` as the command does; `blind` is distilled without a look at the states that
the run visited. One JSON object each, with milliseconds of CPU time of `act` and of the prior's
moments for one observation, block by block in turns: the median of the blocks' medians.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nppac_agents.agent import Agent
from nppac_agents.running.export import states_to_distil_for
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import load_agent
from nppac_priors import DeployedPolicy, GaussianPrior
from nppac_priors.deployed.actors import actor_of
from nppac_priors.deployed.distillation import deviation, distilled
from nppac_priors.deployed.spec import PolicySpec
from nppac_priors.thinning import evenly
from prior_throughput import Query, milliseconds, summary


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--policy", help="as for nppac-run export")
    parser.add_argument("--points", type=int, nargs="+", default=[250, 500, 1000])
    parser.add_argument("--states", type=int, default=2000, help="to compare at")
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.2, help="CPU time of each block")
    return parser.parse_args()


def deployed(agent: Agent, prior: GaussianPrior) -> DeployedPolicy:
    """The agent's policy on a prior, as an export is read."""
    actor, tensors = agent.method.deployed(agent)
    sizes = agent.spaces.state_dim, agent.spaces.action_dim
    spec = PolicySpec(state_dim=sizes[0], action_dim=sizes[1], actor=actor, prior="")
    return DeployedPolicy(spec, actor_of(actor, tensors, *sizes), prior, None)


def queries(policy: DeployedPolicy, state: np.ndarray) -> dict[str, Query]:
    assert policy.prior is not None
    moments = policy.prior.moments
    return {"act": lambda: policy.act(state), "moments": lambda: moments(state)}


def main() -> None:
    """Prints one JSON object a policy."""
    arguments = parse_arguments()
    torch.set_num_threads(1)
    run_dir = RunDirectory(arguments.run)
    agent = load_agent(run_dir, arguments.policy)
    exact = agent.prior
    assert isinstance(exact, GaussianPrior)
    known, compared = states_to_distil_for(run_dir, agent)
    states = compared.states[evenly(len(compared.states), arguments.states)]
    policies: dict[str, DeployedPolicy] = {"exact": deployed(agent, exact)}
    found: dict[str, Any] = {"exact": {}}
    for points in arguments.points:
        for name, where in ((f"{points}", known), (f"{points}, blind", None)):
            policies[name] = deployed(agent, distilled(exact, points, where))
            found[name] = deviation(policies[name], policies["exact"], states).as_json()
    spent: dict[str, dict[str, list[list[float]]]] = {
        name: {"act": [], "moments": []} for name in policies
    }
    for _ in range(arguments.blocks):
        for name, policy in policies.items():
            for query, call in queries(policy, states[0]).items():
                spent[name][query].append(milliseconds(call, arguments.seconds))
    for name, off in found.items():
        print(json.dumps({"prior": name, "off": off, "ms": summary(spent[name])}))


if __name__ == "__main__":
    main()
