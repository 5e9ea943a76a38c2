"""A run that goes on takes no more memory."""

import os
import sys

import pytest
from nppac_agents.running.training import Training

pytestmark = pytest.mark.slow

STEPS = 12_000
MOST_GROWTH = 3 * 2**20
"""Bytes; three arrays that are kept of every step of all environments exceed it"""


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads what the Linux kernel tells")
def test_memory_is_flat_once_the_replay_is_full(point_experiment, run_point, monkeypatch):
    """From a quarter of the steps on: metrics, checkpoints and evaluations go on throughout."""
    training = point_experiment.training.model_copy(
        update={"env_steps": STEPS, "updates_per_step": 0.05, "replay_capacity": 1200}
    )
    evaluation = point_experiment.evaluation.model_copy(update={"every": STEPS // 8})
    logging = point_experiment.logging.model_copy(update={"checkpoint_every": STEPS // 8})
    seen = {}
    interact = Training._interact

    def watched(self, phase):
        interact(self, phase)
        seen[self.recorder.env_steps] = resident_bytes()

    monkeypatch.setattr(Training, "_interact", watched)
    run_point(
        point_experiment.model_copy(
            update={"training": training, "evaluation": evaluation, "logging": logging}
        )
    )
    assert max(seen) == STEPS
    quarter = max(seen[step] for step in seen if step <= STEPS // 4)
    assert max(seen.values()) - quarter < MOST_GROWTH
