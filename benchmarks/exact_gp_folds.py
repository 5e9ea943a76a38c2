"""Held-out quality of the exact GP's hyper-parameter fit, k-fold by episode.

For every fold: fit on the other episodes, condition on all their states, and measure negative
log-likelihood per action entry (nats) and RMSE on the episodes left out. With --published, the same
with a published state dict in place of the fit; its values have seen all episodes.

    python benchmarks/exact_gp_folds.py door/human-v0 --root MINARI_ROOT \
        --config '{"kernel": "matern12"}' --published door_matern12.pt --out door.json

One JSON object a fold and hyper-parameter source goes to --out, or to stdout.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from nppac_envs.demonstrations.minari import MinariConfig
from nppac_priors import ExactGPConfig, Progress


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("id", help="Minari id, such as door/human-v0")
    parser.add_argument("--root", type=Path, help="folder of the Minari sets")
    parser.add_argument("--config", type=json.loads, default={}, help="exact-gp fields as JSON")
    parser.add_argument("--published", type=Path, help="state dict to compare with")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", type=int, nargs="*", help="indices of the folds to run")
    parser.add_argument("--thin", type=int, default=1, help="condition on every n-th state only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


class Stopwatch:
    """Seconds from the start of one stage to the next, as a progress callback."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def __call__(self, report: Progress) -> None:
        self.seconds[report.stage] = time.perf_counter() - self.started - sum(
            value for stage, value in self.seconds.items() if stage != report.stage
        )
        if report.done % 25 == 0 or report.done == report.total:
            values = ", ".join(f"{name} {value:.4g}" for name, value in report.values.items())
            where = f"{self.name}: {report.stage} {report.done}/{report.total}"
            print(f"{where} {values}", file=sys.stderr, flush=True)


def measure(config: ExactGPConfig, train, test, thin: int, seed: int, name: str) -> dict:
    watch = Stopwatch(name)
    generator = torch.Generator().manual_seed(seed)
    if thin > 1 and config.hyperparameters is None:
        raise SystemExit("--thin compares published values only; fits use all states")
    prior = config.fit(
        train.states[::thin], train.actions[::thin], generator=generator, progress=watch
    )
    started = time.perf_counter()
    mean, std = prior.moments(test.states)
    predicting = time.perf_counter() - started
    actions = torch.as_tensor(test.actions)
    nll = -torch.distributions.Normal(mean, std).log_prob(actions).mean()
    return {
        "nll": nll.item(),
        "rmse": (mean - actions).square().mean().sqrt().item(),
        "std": std.mean().item(),
        "train_states": len(prior.data.states),
        "test_states": len(test.states),
        "modes": prior.predictor.factors.modes.shape[1],
        "seconds": {k: round(v, 2) for k, v in watch.seconds.items()},
        "predict_ms_per_state": predicting / len(test.states) * 1e3,
    }
