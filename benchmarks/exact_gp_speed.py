"""Speed of the exact GP: CPU milliseconds per state of mean and moments, and of conditioning.

    python benchmarks/exact_gp_speed.py [--states 6704] [--threads 1] [--kernel matern32]

Random data of the size of the door demonstrations by default. Rough kernels keep every mode there;
with smooth kernels on real data fewer remain, and moments get cheaper in proportion. CPU seconds of
the best of several runs, summed over threads, so that a busy machine changes little. Prints one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import torch
from nppac_priors.gp.exact.conditioning import condition, decompose
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.gp.predictor import Factors, Predictor


def best_cpu_ms(function: Callable[[], object], repeats: int) -> float:
    function()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return 1e3 * min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=6704)
    parser.add_argument("--state-dim", type=int, default=39)
    parser.add_argument("--action-dim", type=int, default=28)
    parser.add_argument("--kernel", default="matern32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--condition", action="store_true", help="also time the conditioning")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    n, s, a = arguments.states, arguments.state_dim, arguments.action_dim
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(n, s, generator=generator)
    actions = torch.rand(n, a, generator=generator) * 2.0 - 1.0
    data = TrainingData.check(states, actions, torch.ones(len(states)))
    ones = torch.ones(a, dtype=torch.float64)
    hyperparameters = Hyperparameters(
        torch.full((s,), 5.0).double(), ones.diag(), 0.01 * ones, 0.0 * ones
    )
    result: dict[str, Any] = {"states": n, "kernel": arguments.kernel}
    if arguments.condition:
        started, cpu = time.perf_counter(), time.process_time()
        decomposition = decompose(arguments.kernel, hyperparameters, data)
        factors = condition(decomposition, hyperparameters, data, 1e-3)
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        result |= {"condition_cpu_s": round(cpu, 2), "condition_wall_s": round(wall, 2)}
    else:
        modes = torch.randn(n, n, generator=generator) / n**0.5
        factors = Factors(torch.zeros(n, a), modes, torch.zeros(n, a))
    predictor = Predictor(arguments.kernel, hyperparameters, states, factors)
    with torch.no_grad():
        for batch in (1, 8, 64, 512):
            queries = states[torch.randint(n, (batch,), generator=generator)]
            mean = best_cpu_ms(lambda q=queries: predictor.mean(q), 10) / batch
            moments = best_cpu_ms(lambda q=queries: predictor.moments(q), 4) / batch
            ms = {"mean_ms": round(mean, 4), "moments_ms": round(moments, 4)}
            result[f"per state in batches of {batch}"] = ms
    print(json.dumps(result))


if __name__ == "__main__":
    main()
