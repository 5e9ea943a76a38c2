"""Fit and conditioning of the exact GP on 15,000 states: seconds of each stage and peak memory.

    python benchmarks/exact_gp_large.py [--states 15000] [--threads 2]
    python benchmarks/exact_gp_large.py --id halfcheetah/expert-v0 --root MINARI_ROOT --threads 2

Synthetic states (17 dimensions, 6 actions) unless a Minari id is given. Prints one JSON object;
wall and CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from nppac_priors import ExactGPConfig, Progress
from synthetic import peak_gib, smooth_demonstrations


class Stages:
    """A progress callback that charges wall and CPU seconds to the stage that they passed in."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self._before = time.perf_counter(), time.process_time()

    def __call__(self, report: Progress) -> None:
        now = time.perf_counter(), time.process_time()
        total = self.seconds.setdefault(report.stage, [0.0, 0.0])
        for i in range(2):
            total[i] += now[i] - self._before[i]
        self._before = now
        if report.done % 25 == 0 or report.done == report.total:
            print(f"{report.stage} {report.done}/{report.total}", file=sys.stderr, flush=True)


def main() -> None:
    """Fits once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=15_000)
    parser.add_argument("--id", help="Minari id in place of synthetic states")
    parser.add_argument("--root", type=Path, help="folder of the Minari sets")
    parser.add_argument("--config", type=json.loads, default={}, help="exact-gp fields as JSON")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.id is None:
        states, actions = smooth_demonstrations(arguments.states)
    else:
        from nppac_envs.demonstrations.minari import MinariConfig

        demonstrations = MinariConfig(id=arguments.id, root=arguments.root).load()
        states, actions = demonstrations.states, demonstrations.actions
        states, actions = states[: arguments.states], actions[: arguments.states]
    stages, began = Stages(), time.perf_counter()
    config = ExactGPConfig(**arguments.config)
    prior = config.fit(states, actions, progress=stages)
    result = {
        "states": len(states),
        "state_dim": prior.state_dim,
        "action_dim": prior.action_dim,
        "modes": prior.predictor.factors.modes.shape[1],
        "minutes": round((time.perf_counter() - began) / 60, 2),
        "wall_and_cpu_s": {k: [round(s, 1) for s in v] for k, v in stages.seconds.items()},
        "peak_gib": round(peak_gib(), 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
