"""States per second of every registered prior's `moments`, at batch 1, 8, 64 and 1024.

    python benchmarks/prior_throughput.py [--states 6704] [--threads 1] [--kinds exact-gp sparse-gp]

Random data of the size of the door demonstrations by default. What a query costs does not depend
on how long a prior was trained, so each is fitted for one step; the exact GP keeps every mode here,
the dearest case. Wrappers are put around `gaussian-mlp`. One JSON object per kind.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import torch
from nppac_priors import GaussianPrior, prior_registry
from synthetic import smooth_demonstrations

BATCHES = (1, 8, 64, 1024)
_INNER = {"kind": "gaussian-mlp", "steps": 1}
WRAPPERS: dict[str, dict[str, Any]] = {
    "variance-floor": {"prior": _INNER, "min_std": 0.1},
    "constant-variance": {"prior": _INNER, "std": 0.1},
    "mean-and-scale": {"mean": _INNER, "scale": _INNER},
}


def settings(kind: str, fields: set[str]) -> dict[str, Any]:
    """The kind with as little training as it allows."""
    if kind in WRAPPERS:
        return {"kind": kind, **WRAPPERS[kind]}
    return {"kind": kind} | {name: 1 for name in ("steps", "start_steps") if name in fields}


def states_per_second(prior: GaussianPrior, states: torch.Tensor, seconds: float) -> float:
    """Over as many calls as take this long, at least three."""
    prior.moments(states)
    calls, began = 0, time.process_time()
    while calls < 3 or time.process_time() - began < seconds:
        prior.moments(states)
        calls += 1
    return calls * len(states) / (time.process_time() - began)


def main() -> None:
    """Prints one JSON object per kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=6704)
    parser.add_argument("--state-dim", type=int, default=39)
    parser.add_argument("--action-dim", type=int, default=28)
    parser.add_argument("--kinds", nargs="*", help="all if not given")
    parser.add_argument("--seconds", type=float, default=2.0, help="CPU seconds per measurement")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    states, actions = smooth_demonstrations(
        arguments.states, arguments.state_dim, arguments.action_dim
    )
    registry = prior_registry()
    queries = torch.as_tensor(smooth_demonstrations(max(BATCHES), arguments.state_dim, part=1)[0])
    for kind in arguments.kinds or sorted(registry.components):
        fields = set(registry.get(kind).model_fields)
        prior = registry.parse(settings(kind, fields)).fit(states, actions)
        speeds = {}
        for batch in BATCHES:
            speeds[batch] = round(states_per_second(prior, queries[:batch], arguments.seconds))
        print(
            json.dumps({"kind": kind, "states": len(states), "states_per_second": speeds}),
            flush=True,
        )


if __name__ == "__main__":
    main()
