"""How the cost of a prior grows with its data: a fit with its defaults, memory, and a query.

    taskset -c 1 python benchmarks/prior_growth.py [--states 500 1000 2000 4000] [--only exact-gp]

Every kind and size is a process of its own. One JSON object each: CPU seconds of the fit, most GiB
of the process (0.4 are PyTorch), milliseconds of CPU time for a draw at eight states, the median
of some. Made-up smooth data of 17 states and 6 actions.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

import torch
from nppac_priors import prior_registry
from synthetic import peak_gib, smooth_demonstrations

KINDS = ("exact-gp", "sparse-gp", "gaussian-mlp", "ensemble", "bayesian-mlp", "cvae")
QUERIED = 8


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, nargs="+", default=[500, 1_000, 2_000, 4_000])
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--config", type=json.loads, default={}, help="fields of all, as JSON")
    parser.add_argument("--measure", nargs=2, metavar=("KIND", "N"), help=argparse.SUPPRESS)
    return parser.parse_args()


def measured(kind: str, size: int, fields: dict[str, object]) -> dict[str, object]:
    """The row of one kind and size, in this process."""
    torch.set_num_threads(1)
    states, actions = smooth_demonstrations(size)
    config = prior_registry().parse({"kind": kind, **fields})
    began = time.process_time()
    prior = config.fit(states, actions)
    row = {"prior": kind, "states": size, "fit_s": time.process_time() - began}
    queried = torch.as_tensor(states[:QUERIED])
    spent = []
    for _ in range(20):
        began = time.process_time()
        prior(queried).sample()
        spent.append(time.process_time() - began)
    return row | {"query_ms": 1e3 * statistics.median(spent), "peak_gib": peak_gib()}


def main() -> None:
    """One line a kind and size."""
    arguments = parse_arguments()
    if arguments.measure is not None:
        kind, size = arguments.measure
        print(json.dumps(measured(kind, int(size), arguments.config)))
        return
    fields = ("--config", json.dumps(arguments.config))
    for kind in arguments.only:
        for size in arguments.states:
            command = (sys.executable, __file__, *fields, "--measure", kind, str(size))
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
