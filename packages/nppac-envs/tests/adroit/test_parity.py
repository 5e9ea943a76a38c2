"""The human door demonstrations, played again without looking.

They were recorded in MuJoCo 2.0 from start states that the DAPG pickle has (the hand at rest; the
recorded first observations have it elsewhere, and it is where it was within 40 steps). The figures
were measured with MuJoCo 4.0: a mean deviation of the hinge of 0.0103 rad, 8 successes where 7 were
recorded: the eighth reached 1.3494 rad of 1.35.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_envs import MinariConfig
from nppac_envs.adroit.task import AdroitTask
from nppac_envs.demonstrations.numeric_pickle import load_numeric_pickle

pytestmark = pytest.mark.medium

HINGE = 28


@pytest.fixture(scope="module")
def demonstrations(data: Path) -> list[dict[str, Any]]:
    return load_numeric_pickle((data / "raw" / "door-v0_demos.pickle").read_bytes())


def play(env: AdroitTask, demonstration: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """(T,) hinge and (T,) success after each action; the last observation has no successor."""
    start = {name: array.values for name, array in demonstration["init_state_dict"].items()}
    env.reset(options={"initial_state_dict": start})
    steps = [env.step(a.astype(np.float32)) for a in demonstration["actions"].values[:-1]]
    return np.array([s[0][HINGE] for s in steps]), np.array([s[4]["success"] for s in steps])


def test_the_set_with_start_states_is_the_one_of_minari(demonstrations, data: Path):
    minari = MinariConfig(id="door/human-v0", root=data / "minari").load()
    states = np.concatenate([d["observations"].values[:-1] for d in demonstrations])
    np.testing.assert_allclose(minari.states, states, atol=1e-6)


def test_the_door_moves_as_in_the_recording(demonstrations):
    env = AdroitTask("door")
    deviations, recorded, replayed = [], [], []
    for demonstration in demonstrations:
        hinge, success = play(env, demonstration)
        expected = demonstration["observations"].values[1:, HINGE]
        deviations.append(np.abs(hinge - expected))
        recorded.append(bool((expected >= 1.35).any()))
        replayed.append(bool(success.any()))
    assert np.mean([d.mean() for d in deviations]) == pytest.approx(0.0103, abs=0.002)
    assert np.median([d.max() for d in deviations]) == pytest.approx(0.0166, abs=0.005)
    assert np.max([d.max() for d in deviations]) < 0.5
    assert (sum(recorded), sum(replayed)) == (7, 8)
    assert all(again for once, again in zip(recorded, replayed, strict=True) if once)
