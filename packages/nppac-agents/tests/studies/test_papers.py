"""The studies of the papers' figures that come with the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.studies.loading import load_study
from nppac_agents.studies.study import Study
from nppac_envs.demonstrations.public_sets import PUBLIC_SETS

ROOT = Path(__file__).parents[4]
FIGURE_2 = ROOT / "studies" / "nppac-figure-2.json"


@pytest.fixture(scope="module")
def figure_2():
    def read(**options):
        return Study.of(load_study(FIGURE_2, options), "figure 2")

    return read


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.json")), ids=lambda p: p.stem)
def test_every_study_validates_under_every_budget(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert set(load_study(path, {}).budgets) == {"paper", "small"}
    for budget in load_study(path, {}).budgets:
        assert Study.of(load_study(path, {"budget": budget}), path.name).runs


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.json")), ids=lambda p: p.stem)
def test_the_data_of_every_study_ship_are_fetched_by_name_or_made_by_its_commands(
    path, monkeypatch
):
    monkeypatch.chdir(ROOT)
    public = [_place(of.settings) for of in PUBLIC_SETS.values()]
    commands = " ".join(json.loads(path.read_text())["$comment"])
    for point in Study.of(load_study(path, {}), path.name).points:
        if point.config.demonstrations is None:
            continue
        settings = point.config.demonstrations.model_dump(mode="json")
        place = _place(settings)
        fetched = place in public or Path(str(place["path"])).stem in PUBLIC_SETS
        here = fetched or place["source"] == "shipped"
        made = settings.get("root") if place["source"] == "minari" else place["path"]
        assert here or f"--output {made}" in commands, point.config


def _place(settings):
    """Where a set is found, however much of it is read."""
    return {key: settings.get(key) for key in ("source", "id", "path", "download")}


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


@pytest.fixture
def points(monkeypatch):
    """The points of a study by name."""
    monkeypatch.chdir(ROOT)

    def read(name, **options):
        study = Study.of(load_study(ROOT / "studies" / f"{name}.json", options), name)
        assert study.config.seeds == tuple(range(6))
        return {point.name: point.config for point in study.points}

    return read


def test_the_variance_ablation_is_one_mean_with_three_variances(points):
    found = points("nppac-variance")
    example = load_experiment(ROOT / "examples" / "door-paper.json")
    gp = found["nppac/variance=gp"]
    assert (gp.prior, gp.agent, gp.env) == (example.prior, example.agent, example.env)
    for name, kind in (("network", "gaussian-mlp"), ("ensemble", "ensemble")):
        prior = found[f"nppac/variance={name}"].prior.model_dump()
        assert prior["mean"] == example.prior.model_dump()
        assert prior["scale"]["kind"] == kind


def test_figure_3_has_the_standard_deviations_of_its_variances(points):
    found = points("nppac-figure-3")
    assert len(found) == 9
    for name, config in found.items():
        variance = float(name.rpartition("=")[2])
        assert config.prior.model_dump()["std"] ** 2 == pytest.approx(variance, rel=2e-3)
    example = load_experiment(ROOT / "examples" / "halfcheetah-constant-variance-5e-3.json")
    ours = found["nppac/task=halfcheetah/variance=5e-3"]
    assert (ours.prior, ours.agent) == (example.prior, example.agent)


def test_figure_10_tunes_to_one_nat_per_action_dimension(points):
    found = points("nppac-figure-10")
    assert len(found) == 6
    for task, dimensions in (("halfcheetah", 6), ("walker2d", 6), ("ant", 8)):
        fixed, tuned = (
            found[f"nppac/task={task}/temperature={name}"].agent for name in ("fixed", "tuned")
        )
        example = load_experiment(ROOT / "examples" / f"{task}-paper.json").agent
        assert fixed == example
        assert tuned == example.model_copy(update={"target_kl": float(dimensions)})


def test_a_single_demonstration_is_compared_with_all(points):
    found = points("nppac-single-demonstration")
    assert len(found) == 4
    for name, config in found.items():
        assert config.demonstrations.n_episodes == (1 if "=one" in name else None)
        assert config.env.model_dump()["reward"] == "zero-one"


@pytest.mark.parametrize("name", ["awac-figure-1", "awac-figure-3"])
def test_awacs_figures_have_eight_methods_on_three_tasks(points, name):
    found = points(name)
    assert len(found) == 24
    door = load_experiment(ROOT / "examples" / "door-awac.json").agent
    if name == "awac-figure-1":
        assert found["awac/task=relocate"].agent == found["awac/task=door"].agent == door
    else:
        assert {config.demonstrations.n_episodes for config in found.values()} == {15}
