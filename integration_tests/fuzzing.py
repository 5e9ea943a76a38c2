"""What the two fuzzers share: numbered cases, and what none of them may do.

A case may raise nothing, take no longer than `SECONDS`, and not make the process larger than it was
by more than `MEBIBYTES`.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import random
import resource
import sys
import time
import traceback
from collections.abc import Callable

SECONDS = 20.0
MEBIBYTES = 256


class Fault(Exception):
    """A case that ended in a way that is promised not to happen."""


def run_cases(doc: str | None, check_case: Callable[[random.Random], str]) -> int:
    """Runs the cases that the command line asks for, prints the counts, returns the exit code.

    Args:
        doc: The script's docstring, for `--help`.
        check_case: Makes and checks the case that a generator stands for; returns how it ended.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", type=int, help="cases")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    arguments = parser.parse_args()
    outcomes: collections.Counter[str] = collections.Counter()
    slowest, faults = 0.0, 0
    for number in range(arguments.first, arguments.first + arguments.count):
        faulthandler.dump_traceback_later(5 * SECONDS, exit=True, file=sys.__stderr__)
        start = time.process_time()
        if number == arguments.first + 1:
            before = _peak()
        try:
            outcomes[check_case(random.Random(f"{arguments.seed} {number}"))] += 1
            slowest = max(slowest, time.process_time() - start)
            if time.process_time() - start > SECONDS:
                raise Fault(f"took {time.process_time() - start:.0f} s")
            if number > arguments.first and _peak() - before > MEBIBYTES:
                raise Fault(f"the process grew by {_peak() - before} MiB")
        except Exception:
            faults += 1
            print(f"case {number}:\n{traceback.format_exc()}", file=sys.stderr)
    faulthandler.cancel_dump_traceback_later()
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:7}  {outcome}")
    print(f"{faults:7}  faults; slowest case {slowest:.2f} s, peak {_peak()} MiB")
    return 1 if faults else 0


def _peak() -> int:
    """The most memory that this process ever had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (2**20 if sys.platform == "darwin" else 2**10)
