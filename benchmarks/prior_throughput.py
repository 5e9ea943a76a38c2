"""What a query of every registered prior costs: in a control loop, and in batches.

    taskset -c 1 python benchmarks/prior_throughput.py [--states 5000] [--only exact-gp ...]

One JSON object a prior: milliseconds of CPU time, by what is asked. `act` and `trust` are those of
an exported residual policy for one observation, whose network has four hidden layers of 256;
"act, bounded" is that of one in a trust region, which reads the standard deviation too. `moments`
are of so many states at once. Of a prior that is not Gaussian, which no policy starts from, a draw
and the log-density of an action are asked for instead.

The priors take turns, block by block: the numbers are the median of the blocks' medians, and the
95th percentile of all calls. Random data of door's size, unless told otherwise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from every_prior import fitted, names
from nppac_priors import GaussianPrior, Prior
from nppac_priors.deployed.actors import actor_of
from nppac_priors.deployed.alarm import Alarm
from nppac_priors.deployed.policy import DeployedPolicy
from nppac_priors.deployed.spec import ActorSpec, PolicySpec
from nppac_priors.wrappers.prior import ConstantVariance
from synthetic import smooth_demonstrations

BATCHES = (8, 64, 1024)
HIDDEN = (256,) * 4
EPISODES = 25
Query = Callable[[], Any]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--states", type=int, default=5000, help="that priors are fitted to")
    add("--state-dim", type=int, default=39)
    add("--action-dim", type=int, default=28)
    add("--only", nargs="+", choices=names(), metavar="PRIOR", help=f"of {', '.join(names())}")
    add("--blocks", type=int, default=10)
    add("--seconds", type=float, default=0.2, help="CPU time of each query in each block")
    add("--threads", type=int, default=1)
    return parser.parse_args()


def deployed(prior: GaussianPrior, alarm: Alarm, trust_width: float | None) -> DeployedPolicy:
    """A residual policy on a prior, as an export is read; its network is drawn."""
    bounded = {} if trust_width is None else {"std_on_data": torch.ones(prior.action_dim)}
    spec = ActorSpec(
        form="residual", layers=len(HIDDEN) + 1, activation="relu", standardised=True,
        log_range=(-5.0, 2.0), trust_width=trust_width,
    )  # fmt: skip
    sizes = (prior.state_dim, *HIDDEN, 2 * prior.action_dim)
    tensors = {"shift": torch.zeros(prior.state_dim), "scale": torch.ones(prior.state_dim)}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        tensors[f"weight_{layer}"] = torch.randn(outputs, inputs) / inputs**0.5
        tensors[f"bias_{layer}"] = torch.zeros(outputs)
    policy = PolicySpec(
        state_dim=prior.state_dim, action_dim=prior.action_dim, actor=spec, prior="", alarm=True
    )
    dimensions = prior.state_dim, prior.action_dim
    return DeployedPolicy(policy, actor_of(spec, tensors | bounded, *dimensions), prior, alarm)


def queries(prior: Prior, states: torch.Tensor) -> dict[str, Query]:
    """What is asked of a prior, by name."""
    observation, one = states[0].numpy(), states[:1]
    if not isinstance(prior, GaussianPrior):
        action = torch.zeros(1, prior.action_dim)
        return {
            "draw": lambda: prior(one).sample(),
            "density": lambda: prior(one).log_prob(action),
        }
    count = 200 * EPISODES
    std = torch.rand(count, prior.action_dim) + 0.1
    alarm = Alarm.of(std, torch.full((EPISODES,), count // EPISODES))
    free, bounded = (deployed(prior, alarm, width) for width in (None, 1.0))
    asked: dict[str, Query] = {
        "act": lambda: free.act(observation),
        "act, bounded": lambda: bounded.act(observation),
    }
    if not isinstance(prior, ConstantVariance):  # as sure everywhere, it has no alarm
        asked["trust"] = lambda: free.trust(observation)
    for batch in (1, *BATCHES):
        asked[f"moments of {batch}"] = lambda batch=batch: prior.moments(states[:batch])
    return asked


def milliseconds(query: Query, seconds: float) -> list[float]:
    """CPU time of each call, of as many as take this long, at least three; one is left out."""
    query()
    spent: list[float] = []
    while len(spent) < 3 or sum(spent) < 1e3 * seconds:
        start = time.process_time()
        query()
        spent.append(1e3 * (time.process_time() - start))
    return spent


def main() -> None:
    """Prints one JSON object a prior."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    sizes = arguments.state_dim, arguments.action_dim
    demonstrated = smooth_demonstrations(arguments.states, *sizes)
    states = torch.as_tensor(smooth_demonstrations(max(BATCHES), *sizes, part=1)[0])
    with tempfile.TemporaryDirectory() as folder:
        asked: dict[str, dict[str, Query]] = {}
        for name in arguments.only or names():
            print(f"fitting {name}", file=sys.stderr, flush=True)
            asked[name] = queries(fitted(name, *demonstrated, Path(folder)), states)
    spent: dict[str, dict[str, list[list[float]]]] = {
        name: {query: [] for query in of_it} for name, of_it in asked.items()
    }
    for block in range(arguments.blocks):
        print(f"block {block + 1}", file=sys.stderr, flush=True)
        for name, of_it in asked.items():
            for query, call in of_it.items():
                spent[name][query].append(milliseconds(call, arguments.seconds))
    for name, of_it in spent.items():
        print(json.dumps({"prior": name, "states": arguments.states, "ms": summary(of_it)}))


def summary(spent: dict[str, list[list[float]]]) -> dict[str, dict[str, float]]:
    """Of each query the median of its blocks, and the 95th percentile of its calls."""
    return {
        query: {
            "median": round(statistics.median(map(statistics.median, blocks)), 4),
            "p95": round(float(np.quantile(np.concatenate(blocks), 0.95)), 4),
        }
        for query, blocks in spent.items()
    }


if __name__ == "__main__":
    main()
