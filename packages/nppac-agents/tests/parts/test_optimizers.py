from __future__ import annotations

import subprocess
import sys

import pytest

STEPS = """
import sys
from nppac_agents.parts.part import Part
from torch import nn

for options in ({}, {"momentum": 0.9}):
    part = Part(nn.Linear(3, 1), 0.1, **options)
    for _ in range(2):
        part.descend(part.net.weight.square().sum() + part.net.bias.square().sum())
        part.load_optimizer_state(part.optimizer_state())
print("torch._dynamo" in sys.modules)
"""


@pytest.mark.medium
def test_no_step_loads_the_compiler():
    """Whose import takes seconds of every run."""
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
