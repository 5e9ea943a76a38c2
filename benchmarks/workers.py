"""Learners in processes of their own, which update in turns while the others wait.

The ratio of two learners holds when the machine's speed drifts, since their blocks alternate. One
thread is timed by processor time and bound to one core (XLA chooses its threads by the cores that
it may use), several are timed by the clock.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from learners import Setting

PEERS = {"tianshou-sac": "tianshou", "sb3-sac": "stable_baselines3", "sbx-sac": "sbx"}
"""The module that a peer needs"""
PACKAGES = ("nppac-priors", "nppac-envs", "nppac-agents")


def installed(name: str) -> bool:
    """Whether a learner can run here."""
    return name not in PEERS or importlib.util.find_spec(PEERS[name]) is not None


class Worker:
    """A process with one learner.

    Args:
        name: of the learner.
        setting: what its cost depends on.
        threads: of PyTorch.
        checkout: a folder with other packages of ours; None takes those of this process.
    """

    def __init__(
        self, name: str, setting: Setting, threads: int, checkout: Path | None = None
    ) -> None:
        environment = dict(os.environ)
        if checkout is not None:
            sources = (checkout / "packages" / package / "src" for package in PACKAGES)
            environment["PYTHONPATH"] = os.pathsep.join(map(str, sources))
        command = [sys.executable, __file__, name, json.dumps(asdict(setting)), str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._answer()

    def seconds(self, updates: int) -> float:
        """Mean seconds of one update over a block of so many, or a few more."""
        assert self.process.stdin is not None
        print(updates, file=self.process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args}: ended with {self.process.wait()}")
        return json.loads(line)


def alternating(workers: list[Worker], blocks: int, updates: int) -> list[list[float]]:
    """Seconds of an update in every block, a list for each worker; the first block is left out."""
    columns: list[list[float]] = [[] for _ in workers]
    for block in range(blocks + 1):
        for worker, column in zip(workers, columns, strict=True):
            seconds = worker.seconds(updates)
            if block:
                column.append(seconds)
    return columns


def work(name: str, setting: dict[str, Any], threads: int) -> None:
    """What a worker does: build, then a block for every number on its standard input."""
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    answers, sys.stdout = sys.stdout, sys.stderr
    import torch
    from learners import OWN, Setting, own, tianshou_sac

    torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 else time.perf_counter
    per_call = 1
    if name in OWN:
        update = own(name, Setting(**setting))
    elif name == "tianshou-sac":
        update = tianshou_sac(Setting(**setting))
    else:
        import peers

        update = {"sb3-sac": peers.sb3_sac, "sbx-sac": peers.sbx_sac}[name](Setting(**setting))
        per_call = peers.UPDATES_PER_CALL if name == "sbx-sac" else 1
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        calls = -(-int(line) // per_call)
        start = clock()
        for _ in range(calls):
            update()
        print(json.dumps((clock() - start) / (calls * per_call)), file=answers, flush=True)


if __name__ == "__main__":
    work(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]))
