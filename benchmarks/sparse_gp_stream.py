"""One million states through `sparse-gp` from memory-mapped files: seconds and peak memory.

    python benchmarks/sparse_gp_stream.py [--states 1000000] [--threads 2] [--config JSON]

Writes the arrays to a temporary folder first, block by block, so that nothing holds them whole.
Prints one JSON object; `mean_std` beside the noise that the data were made with.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from nppac_priors import Progress, SparseGPConfig
from numpy.lib.format import open_memmap
from synthetic import NOISE_STD, peak_gib, smooth_demonstrations

BLOCK = 50_000


def write(folder: Path, rows: int, state_dim: int, action_dim: int) -> None:
    """`states.npy` and `actions.npy`, float32."""
    shapes = {"states": (rows, state_dim), "actions": (rows, action_dim)}
    files = {
        name: open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.float32, shape=shape)
        for name, shape in shapes.items()
    }
    for part, begin in enumerate(range(0, rows, BLOCK)):
        size = min(BLOCK, rows - begin)
        block = smooth_demonstrations(size, state_dim, action_dim, part=part + 2)
        for file, values in zip(files.values(), block, strict=True):
            file[begin : begin + size] = values
    for file in files.values():
        file.flush()


def show(report: Progress) -> None:
    if report.done * 10 // report.total != (report.done - 1) * 10 // report.total:
        values = ", ".join(f"{name} {value:.3f}" for name, value in report.values.items())
        print(f"{report.stage} {report.done}/{report.total} {values}", file=sys.stderr, flush=True)


def main() -> None:
    """Fits once, and measures on states that were not fitted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=1_000_000)
    parser.add_argument("--state-dim", type=int, default=17)
    parser.add_argument("--action-dim", type=int, default=6)
    parser.add_argument("--episode", type=int, default=1000, help="states of an episode")
    parser.add_argument("--config", type=json.loads, default={}, help="sparse-gp fields as JSON")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows, dims = arguments.states, (arguments.state_dim, arguments.action_dim)
    lengths = np.full(-(-rows // arguments.episode), arguments.episode)
    lengths[-1] = rows - lengths[:-1].sum()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), rows, *dims)
        before = peak_gib()
        states, actions = (
            np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in ("states", "actions")
        )
        began = time.perf_counter(), time.process_time()
        config = SparseGPConfig(**arguments.config)
        prior = config.fit(states, actions, episode_lengths=lengths, progress=show)
        wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    x, y = (torch.as_tensor(values) for values in smooth_demonstrations(2000, *dims, part=1))
    mean, std = prior.moments(x)
    result = {
        "states": rows,
        "inducing_points": len(prior.inducing),
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "peak_gib": round(peak_gib(), 2),
        "peak_gib_before": round(before, 2),
        "held_out_nll": round(-torch.distributions.Normal(mean, std).log_prob(y).mean().item(), 4),
        "held_out_rmse": round((mean - y).square().mean().sqrt().item(), 4),
        "mean_std": round(std.mean().item(), 4),
        "noise_std": NOISE_STD,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
