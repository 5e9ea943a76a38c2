"""Held-out quality of the exact GP's hyper-parameter fit, k-fold by episode.

For every fold: fit on the other episodes, condition on all their states, and measure negative
log-likelihood per action entry (nats) and RMSE on the episodes left out. With --published, the same
with a published state dict in place of the fit; its values have seen all episodes.

    python benchmarks/exact_gp_folds.py door/human-v0 --root MINARI_ROOT \
        --published door_matern12.pt --published-kernel matern12 --out door.json

One JSON object a fold and hyper-parameter source goes to stdout, progress to stderr. CPU seconds
rather than wall seconds, so that a busy machine changes little.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.minari import MinariConfig
from nppac_priors import ExactGPConfig, Progress


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("id", help="Minari id, such as door/human-v0")
    parser.add_argument("--root", type=Path, help="folder of the Minari sets")
    parser.add_argument("--config", type=json.loads, default={}, help="exact-gp fields as JSON")
    parser.add_argument("--published", type=Path, help="state dict to compare with")
    parser.add_argument("--published-kernel", default="matern32", help="its kernel")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", type=int, nargs="*", help="indices of the folds to run; all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


class Stages:
    """A progress callback that prints, and sums the CPU seconds of each stage."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.before = time.process_time()
        self.seconds: dict[str, float] = {}

    def __call__(self, report: Progress) -> None:
        """Charge the time since the last report to this one's stage."""
        now = time.process_time()
        self.seconds[report.stage] = self.seconds.get(report.stage, 0.0) + now - self.before
        self.before = now
        if report.done % 25 == 0 or report.done == report.total:
            values = ", ".join(f"{name} {value:.4g}" for name, value in report.values.items())
            line = f"{self.name}: {report.stage} {report.done}/{report.total} {values}"
            print(line, file=sys.stderr, flush=True)


def measure(
    config: ExactGPConfig, train: Demonstrations, test: Demonstrations, seed: int, name: str
) -> dict[str, object]:
    stages = Stages(name)
    generator = torch.Generator().manual_seed(seed)
    prior = config.fit(train.states, train.actions, generator=generator, progress=stages)
    started = time.process_time()
    mean, std = prior.moments(test.states)
    predicting = time.process_time() - started
    actions = torch.as_tensor(test.actions)
    error = mean - actions
    return {
        "name": name,
        "kernel": config.kernel,
        "nll": -torch.distributions.Normal(mean, std).log_prob(actions).mean().item(),
        "rmse": error.square().mean().sqrt().item(),
        "normalised_rmse": (error / std).square().mean().sqrt().item(),
        "mean_std": std.mean().item(),
        "train_states": len(train),
        "test_states": len(test),
        "modes": prior.predictor.factors.modes.shape[1],
        "cpu_seconds": {stage: round(value, 2) for stage, value in stages.seconds.items()},
        "predict_cpu_ms_per_state": 1e3 * predicting / len(test),
    }


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    demonstrations = MinariConfig(id=arguments.id, root=arguments.root).load()
    folds = demonstrations.folds(arguments.folds, np.random.default_rng(arguments.seed))
    configs = {"fit": ExactGPConfig(**arguments.config)}
    if arguments.published is not None:
        configs["published"] = ExactGPConfig(
            kernel=arguments.published_kernel, hyperparameters=arguments.published
        )
    results: dict[str, list[dict]] = {name: [] for name in configs}
    for index, (train, test) in enumerate(folds):
        if arguments.only is not None and index not in arguments.only:
            continue
        for name, config in configs.items():
            result = measure(config, train, test, index, f"{arguments.id} fold {index} {name}")
            results[name].append(result)
            print(json.dumps(result), flush=True)
    means = {
        name: {key: float(np.mean([row[key] for row in rows])) for key in ("nll", "rmse")}
        for name, rows in results.items()
    }
    print(json.dumps({"mean over folds": means}), flush=True)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({"means": means, "folds": results}, indent=1))


if __name__ == "__main__":
    main()
