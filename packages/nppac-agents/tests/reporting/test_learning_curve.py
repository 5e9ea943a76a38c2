from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nppac_agents.reporting.compared_runs import ComparedRun
from nppac_agents.reporting.learning_curve import mean_level, summarise


def run_of(values, steps=None) -> ComparedRun:
    steps = range(0, 100 * len(values), 100) if steps is None else steps
    events = [
        {"env_steps": step, "updates": step, "success_ever": value, "return_mean": 10.0}
        for step, value in zip(steps, values, strict=True)
    ]
    return ComparedRun(Path("x"), 0, {}, None, events, None, None)


def finely(steps, values, work):
    grid = np.linspace(steps[0], steps[-1], 200_001)
    return work(np.interp(grid, steps, values)).mean()


def test_area_and_regret_are_those_of_the_curve_between_its_points():
    values, steps = [0.5, 0.9, 0.1, 0.1, 0.6, 0.3], [0, 10, 50, 60, 200, 210]
    found = summarise(run_of(values, steps), "success_ever")
    assert found.area == pytest.approx(finely(steps, values, lambda y: y), abs=1e-5)
    below = finely(steps, values, lambda y: np.maximum(0.5 - y, 0))
    assert found.regret == pytest.approx(below, abs=1e-5)


def test_a_curve_that_never_falls_below_its_start_has_no_regret():
    assert summarise(run_of([0.2, 0.2, 0.7]), "success_ever").regret == 0
    assert summarise(run_of([0.5, 0.0, 0.0]), "success_ever").regret == pytest.approx(0.375)


def test_steps_to_success_are_the_first_evaluation_that_shows_it():
    found = summarise(run_of([0.1, 0.5, 0.4, 0.95]), "success_ever")
    assert (found.steps_to_half, found.steps_to_ninety) == (100, 300)
    never = summarise(run_of([0.1, 0.4]), "success_ever")
    assert (never.steps_to_half, never.steps_to_ninety) == (None, None)


def test_steps_to_success_are_of_success_in_any_measure():
    found = summarise(run_of([0.1, 0.9]), "return_mean")
    assert (found.first, found.last, found.steps_to_ninety) == (10.0, 10.0, 100)


def test_one_evaluation_is_no_curve():
    found = summarise(run_of([0.6]), "success_ever")
    assert (found.first, found.last, found.area, found.regret) == (0.6, 0.6, None, None)


def test_mean_level_weighs_by_steps():
    steps, values = np.array([0.0, 1.0, 10.0]), np.array([1.0, 1.0, -1.0])
    assert mean_level(steps, values) == pytest.approx((1 + 0) / 10)
    assert mean_level(steps, values, positive=True) == pytest.approx((1 + 4.5 / 2) / 10)
