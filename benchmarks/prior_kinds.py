"""Every kind of prior on door, pen and halfcheetah: one health report a task, and one table.

    python benchmarks/prior_kinds.py --root MINARI_ROOT --out runs/prior-kinds

Fits each kind with its defaults (the Gaussian processes with the task's kernel) to four fifths of
the episodes and measures it on the rest. The folder gets one health report a task; the table, in
Markdown, goes to stdout, progress to stderr. Give tasks or kinds to run only these.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from nppac_envs.demonstrations.minari import MinariConfig
from nppac_priors import Episodes, prior_registry
from nppac_priors.cli.progress import ProgressLine
from nppac_priors.health import Health, write_report

KERNELS = {
    "door/human-v0": "matern12",
    "pen/human-v0": "matern52",
    "halfcheetah/expert-v0": "rbf",
}
KINDS = {
    "exact-gp": {"kind": "exact-gp"},
    "sparse-gp": {"kind": "sparse-gp"},
    "gaussian-mlp": {"kind": "gaussian-mlp"},
    "ensemble": {"kind": "ensemble"},
    "bayesian-mlp, variational": {"kind": "bayesian-mlp"},
    "bayesian-mlp, dropout": {"kind": "bayesian-mlp", "inference": "dropout"},
    "gaussian-mlp, std ≥ 0.1": {
        "kind": "variance-floor",
        "min_std": 0.1,
        "prior": {"kind": "gaussian-mlp"},
    },
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(KERNELS)}")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--root", type=Path, help="folder of the Minari sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the reports")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    arguments.tasks = arguments.tasks or list(KERNELS)
    for task in arguments.tasks:
        if task not in KERNELS:
            parser.error(f"unknown task {task!r}; known: {', '.join(KERNELS)}")
    return arguments


def report(task: str, arguments: argparse.Namespace) -> list[str]:
    """Write the health report of all kinds on one task; its rows of the table."""
    loaded = MinariConfig(id=task, root=arguments.root).load()
    episodes = Episodes(loaded.states, loaded.actions, loaded.episode_lengths)
    generator = torch.Generator().manual_seed(arguments.seed)
    split = episodes.hold_out(0.2, generator)
    priors, facts = {}, {}
    for label in arguments.kinds:
        kernel = {"kernel": KERNELS[task]} if label.endswith("-gp") else {}
        config = prior_registry().parse(KINDS[label] | kernel)
        started = time.perf_counter()
        with ProgressLine(f"{task} {label}") as progress:
            priors[label] = config.fit(
                split.fitted.states,
                split.fitted.actions,
                episode_lengths=split.fitted.episode_lengths,
                generator=torch.Generator().manual_seed(arguments.seed),
                progress=progress,
            )
        facts[label] = {"fit_seconds": time.perf_counter() - started}
        print(f"{task} {label}: {facts[label]['fit_seconds']:.1f} s", file=sys.stderr, flush=True)
    folder = arguments.out / task.split("/")[0]
    healths = write_report(priors, split, folder, generator=generator, title=task, facts=facts)
    return [row(task, label, facts[label]["fit_seconds"], healths[label]) for label in priors]


def row(task: str, label: str, fit_seconds: float, health: Health) -> str:
    cells = [
        task.split("/")[0],
        label,
        f"{fit_seconds:.0f}",
        f"{health.query_microseconds:.3g}",
        f"{health.held_out.nll:.3f}",
        f"{health.held_out.coverage[0.9]:.1%}",
        f"{health.off_data.growth_ratio:.2g}",
        f"{health.off_data.collapse_score:.2f}",
        health.verdict.word,
    ]
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| task | prior | fit, s | query, µs a state | NLL | coverage at 90 % | growth ratio "
    "| collapse score | verdict |"
)


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    print(HEAD)
    print("|" + " --- |" * HEAD.count(" | ") + " --- |")
    for task in arguments.tasks:
        print("\n".join(report(task, arguments)), flush=True)


if __name__ == "__main__":
    main()
