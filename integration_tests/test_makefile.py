"""What `make` runs, read from `make -n`."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from nppac_agents.cli.arguments import parse

ROOT = Path(__file__).parents[1]


def test_a_second_quickstart_goes_on_with_the_first():
    printed = subprocess.check_output(["make", "-n", "quickstart"], cwd=ROOT, text=True)
    (line,) = (line for line in printed.splitlines() if "/nppac-run " in line)
    arguments = parse(shlex.split(line)[1:])
    assert arguments.resume
    assert arguments.output_dir == "runs/quickstart"
