"""How long learning waits for a checkpoint, and how long the checkpoint takes to be on the disk.

The replay is as wide as door's with a Gaussian prior (39 states, 28 actions), filled with one
number after another; what the networks of an agent add is small beside it. The folder decides which
disk is measured.

    python benchmarks/checkpoints.py [--transitions 200000] [--folder .] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from nppac_agents.data.discounting import Discounting
from nppac_agents.data.layout import Layout
from nppac_agents.data.replay import TensorReplay
from nppac_agents.metrics_file import MetricsMark
from nppac_agents.running.checkpoint import Checkpoint
from nppac_agents.running.checkpoint_writer import CheckpointWriter
from nppac_agents.running.divergence import require_finite
from nppac_agents.running.identity import RunIdentity
from synthetic import peak_gib

STATES, ACTIONS, ENVS = 39, 28, 8


def filled(transitions: int) -> TensorReplay:
    """A replay that holds as many transitions as it has room for."""
    layout = Layout(STATES, ACTIONS, ACTIONS, Discounting(0.99))
    generator = torch.Generator().manual_seed(0)
    replay = TensorReplay(transitions, ENVS, layout, observed=None, generator=generator)
    state = replay.state()
    rings = torch.tensor([[transitions // ENVS, 0, 0, 0]] * ENVS)
    rows = torch.rand(transitions, layout.width, generator=generator)
    replay.load_state({**state, "rings": rings, "rows": rows})
    return replay


def seconds_of_a_save(replay: TensorReplay, writer: CheckpointWriter, folder: Path, number: int):
    """Seconds that learning waits, and seconds until the checkpoint is on the disk."""
    start = time.perf_counter()
    tensors = {"replay": replay.state()}
    require_finite(tensors["replay"], "in a benchmark")
    position = {"phase": 0, "env_steps": number, "updates": number}
    identity = RunIdentity("run", "hash", 0, None, None)
    writer.save(Checkpoint(tensors, position, identity, MetricsMark(0, "")), folder)
    waited = time.perf_counter() - start
    writer.wait()
    return waited, time.perf_counter() - start


def main() -> None:
    """Prints the medians and the largest of both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transitions", type=int, default=200_000, help="in the replay")
    parser.add_argument("--saves", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk to measure")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    replay, writer = filled(arguments.transitions), CheckpointWriter()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        times = [
            seconds_of_a_save(replay, writer, Path(folder), number)
            for number in range(arguments.saves)
        ]
    figures = {"transitions": arguments.transitions, "peak_gib": round(peak_gib(), 2)}
    for name, seconds in zip(("waited", "on the disk"), zip(*times, strict=True), strict=True):
        median, largest = statistics.median(seconds), max(seconds)
        figures |= {f"{name} median_s": round(median, 4), f"{name} largest_s": round(largest, 4)}
        print(f"{name}: median {median:.3f} s, largest {largest:.3f} s of {len(seconds)} saves")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
