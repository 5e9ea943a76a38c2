"""How the time of one update grows: with the batch, the width and depth of networks, the critics.

    python benchmarks/update_growth.py [--learner nppac-residual] [--blocks 5] [--updates 20]

One thing changes at a time, from a base of two layers of 256, a batch of 256, two critics, 17
states and 6 actions. Every setting is a process of its own, bound to one core; their blocks
alternate, and what is printed is the median of processor time and of its ratio to the base. One
JSON object a setting.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import replace

from learners import OWN, Setting
from workers import Worker, alternating

BASE = Setting(critics=2)
GROWTH = {
    "batch": (64, 256, 1024, 4096),
    "width": (64, 256, 512, 1024),
    "depth": (2, 4, 8),
    "critics": (2, 5, 10),
    "state_dim": (17, 111, 376),
}
TINY = Setting(3, 2, batch=8, width=8, critics=2, rows=100)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learner", choices=OWN, default="nppac-residual")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--updates", type=int, default=20, help="of a block")
    parser.add_argument("--only", nargs="+", choices=GROWTH, default=[*GROWTH])
    parser.add_argument("--tiny", action="store_true", help="from a base that takes no time")
    return parser.parse_args()


def grown(base: Setting, what: str, arguments: argparse.Namespace) -> list[dict[str, object]]:
    """A row for every value of one field, beside the base."""
    settings = [replace(base, **{what: value}) for value in GROWTH[what]]
    workers: list[Worker] = []
    try:
        workers += [Worker(arguments.learner, one, 1) for one in (base, *settings)]
        first, *others = alternating(workers, arguments.blocks, arguments.updates)
    finally:
        for worker in workers:
            worker.close()
    return [
        {
            "learner": arguments.learner,
            what: value,
            "ms": 1e3 * statistics.median(seconds),
            "over_base": statistics.median(a / b for a, b in zip(seconds, first, strict=True)),
        }
        for value, seconds in zip(GROWTH[what], others, strict=True)
    ]


def main() -> None:
    """One line a setting."""
    arguments = parse_arguments()
    for what in arguments.only:
        for row in grown(TINY if arguments.tiny else BASE, what, arguments):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
