"""Time of one update, with its minibatch, of our agents beside SAC of other libraries.

    python benchmarks/update.py [--only NAME ...] [--blocks 10] [--updates 20] [--json FILE]

Every learner is a process of its own; their blocks alternate, and the table has the median of the
blocks and the median of the block-wise ratios to each peer. Tianshou comes with the agents.
Stable-Baselines3 and SBX are timed where they are installed, best in an environment of their own:

    python -m venv peers && peers/bin/pip install torch==2.13.0
    peers/bin/pip install -c constraints.txt -e packages/nppac-priors -e packages/nppac-envs
    peers/bin/pip install -c constraints.txt -e packages/nppac-agents stable-baselines3 sbx-rl
    peers/bin/python benchmarks/update.py

`--before FOLDER` times our learners from another checkout, too.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learners import OWN, SETTINGS, Setting
from workers import PEERS, Worker, alternating, installed

TINY = {"tiny": Setting(3, 2, batch=8, width=8, rows=100)}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=[*OWN, *PEERS], metavar="NAME")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--updates", type=int, default=20, help="of a block")
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    parser.add_argument("--tiny", action="store_true", help="one setting that takes seconds")
    parser.add_argument("--json", type=Path, help="where the numbers go, too")
    return parser.parse_args()


def compare(setting: Setting, names: list[str], arguments: argparse.Namespace) -> list[Any]:
    """One row a learner: its milliseconds, and their ratio to each peer's and to before."""
    checkouts: dict[str, tuple[str, Path | None]] = {name: (name, None) for name in names}
    if arguments.before is not None:
        checkouts |= {f"{n} before": (n, arguments.before) for n in names if n in OWN}
    workers: list[Worker] = []
    try:
        for name, checkout in checkouts.values():
            workers.append(Worker(name, setting, arguments.threads, checkout))
        columns = alternating(workers, arguments.blocks, arguments.updates)
    finally:
        for worker in workers:
            worker.close()
    blocks = dict(zip(checkouts, columns, strict=True))
    return [row(name, setting, blocks) for name in blocks]


def row(name: str, setting: Setting, blocks: dict[str, list[float]]) -> dict[str, Any]:
    """Median milliseconds of a learner, and the medians of its ratios to others."""
    others = [other for other in (*PEERS, f"{name} before") if other in blocks and other != name]
    ratios = {
        other: statistics.median(a / b for a, b in zip(blocks[name], blocks[other], strict=True))
        for other in others
    }
    milliseconds = 1e3 * statistics.median(blocks[name])
    return {"learner": name, "ms": milliseconds, "over": ratios, "setting": asdict(setting)}


def main() -> None:
    """Prints one table a setting."""
    arguments = parse_arguments()
    names = arguments.only or [*OWN, *PEERS]
    missing = [name for name in names if not installed(name)]
    if missing:
        print("not installed:", ", ".join(missing))
    names = [name for name in names if name not in missing]
    everything = []
    for title, setting in (TINY if arguments.tiny else SETTINGS).items():
        rows = compare(setting, names, arguments)
        everything += rows
        print(f"\n{title}")
        for entry in rows:
            ratios = ", ".join(f"{ratio:.2f} of {other}" for other, ratio in entry["over"].items())
            print(f"{entry['learner']:24}{entry['ms']:9.2f} ms   {ratios}", flush=True)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
