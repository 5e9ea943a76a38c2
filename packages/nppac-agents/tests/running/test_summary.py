"""The last lines of a run: what learning did to success, or to the return where there is none."""

from __future__ import annotations

import pytest
from nppac_agents.reporting.measures import MEASURES
from nppac_agents.running.summary import _measured, outcome

WITHOUT = dict.fromkeys(measure.field for measure in MEASURES)
BEST = {"env_steps": 500, "updates": 20, "selected_by": "return_mean"}


def lines(before, after):
    return outcome({"before": before, "after": after, "best": BEST, "updates": 20})


def test_a_task_without_success_ends_with_its_return():
    found = lines(WITHOUT | {"return_mean": -1249.2}, WITHOUT | {"return_mean": -1350.2})
    assert found == [
        "return_mean: -1,249.2 before learning, -1,350.2 after; learning LOWERED it by 101.0",
        "best policy: at 500 steps (the last one), chosen by return_mean; it is in "
        "checkpoints/best",
    ]


def test_an_evaluation_that_was_logged_before_a_measure_came_lacks_it():
    """A run that is resumed reads its older lines, too."""
    older = {field: 0.5 for field in WITHOUT if field != "normalised_return"}
    assert _measured(older) == older | {"normalised_return": None}


@pytest.mark.parametrize(("after", "told"), [(0.5, ""), (0.2, "; learning LOWERED it by 0.05")])
def test_another_ends_with_its_success(after, told):
    measured = {measure.field: 0.25 for measure in MEASURES}
    first, second, _ = lines(measured, measured | {"success_at_end": after})
    assert first == "success_ever: 0.25 before learning, 0.25 after"
    assert second == f"success_at_end: 0.25 before learning, {after:.2f} after{told}"
