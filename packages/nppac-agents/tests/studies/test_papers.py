"""The studies of the papers' figures that come with the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.studies.loading import load_study
from nppac_agents.studies.study import Study

ROOT = Path(__file__).parents[4]
FIGURE_2 = ROOT / "studies" / "nppac-figure-2.json"


@pytest.fixture(scope="module")
def figure_2():
    def read(**options):
        return Study.of(load_study(FIGURE_2, options), "figure 2")

    return read


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.json")), ids=lambda p: p.stem)
def test_every_study_validates_under_every_budget(path):
    for budget in load_study(path, {}).budgets:
        assert Study.of(load_study(path, {"budget": budget}), path.name).runs


def test_figure_2_is_nine_methods_on_five_tasks_with_six_seeds(figure_2):
    study = figure_2()
    assert len(study.points) == 45
    assert len(study.runs) == 270
    assert {point.values["task"] for point in study.points} == {
        "halfcheetah", "ant", "walker2d", "pen", "door",
    }  # fmt: skip


@pytest.mark.parametrize("task", ["door", "halfcheetah"])
def test_figure_2_has_the_examples_settings(figure_2, task):
    """All but the length, the protocol, and what an example calls its own."""
    found = {p.experiment: p.config for p in figure_2().points if p.values["task"] == task}
    assert len(found) == 9
    for method, config in found.items():
        name = "paper" if method == "nppac" else method
        example = load_experiment(ROOT / "examples" / f"{task}-{name}.json")
        assert config.agent == example.agent
        assert (config.prior, config.env) == (example.prior, example.env)
        if name == "paper":  # the others' examples read what ships
            assert config.demonstrations == example.demonstrations
        length = {"env_steps": config.training.env_steps}
        assert config.training == example.training.model_copy(update=length)


def test_the_small_budget_is_small(figure_2):
    small = figure_2(budget="small")
    assert {point.config.training.env_steps for point in small.points} == {20_000}
    updates = [getattr(point.config.agent, "offline_updates", 0) for point in small.points]
    assert max(updates) == 10_000
