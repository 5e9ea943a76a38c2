"""The search: what it asks for, what it stops, what it remembers. Runs are files written here."""

from __future__ import annotations

import json
import sys

import pytest
from nppac_agents.studies.config import StudyConfig
from nppac_agents.studies.study import Study
from nppac_agents.studies.trials import Trials, check_space, mend, settings
from nppac_agents.studies.tuned import headline, rows, write_tuned
from nppac_agents.studies.tuner import Tuner
from nppac_priors.errors import ConfigError
from pydantic import ValidationError

pytest.importorskip("optuna")

SAC = {"env": {"kind": "door"}, "agent": {"kind": "sac"}, "training": {"env_steps": 100}}
SPACE = {
    "agent.alpha": {"type": "log", "low": 0.01, "high": 10.0},
    "agent.tau": {"type": "float", "low": 0.001, "high": 0.1},
    "agent.batch_size": {"type": "int", "low": 8, "high": 64},
    "agent.policy_hidden": {"type": "categorical", "choices": [[8], [8, 8]]},
}


def config(**tuning):
    fields = {"space": SPACE, "trials": 6, "pruning_after": 2, **tuning}
    return {"experiments": {"sac": SAC}, "output_dir": "s", "tuning": fields}


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(**tuning):
        found = Study.of(StudyConfig.model_validate(config(**tuning)), "s.json")
        return Study(found.config, found.path, found.points, [])

    return make


class FakeSweep:
    """Runs nothing: whoever tests leaves the files."""

    def __init__(self, places=2):
        self.places, self.added, self.dropped, self.given_up = places, [], [], {}
        self.done, self.said = set(), []

    def say(self, text):
        self.said.append(text)

    @property
    def free(self):
        ended = self.done | {run.name for run in self.dropped} | set(self.given_up)
        return max(self.places - sum(run.name not in ended for run in self.added), 0)

    def add(self, run):
        self.added.append(run)

    def drop(self, run):
        self.dropped.append(run)

    def leave(self, run, values, *, done):
        run.path.mkdir(parents=True, exist_ok=True)
        event = {"event": "evaluation", "success_at_end": 1.0}
        lines = [
            json.dumps({**event, "env_steps": s, "success_ever": v}) for s, v in values.items()
        ]
        (run.path / "metrics.jsonl").write_text("\n".join(lines) + '\n{"event": "evalu')
        if done:
            self.done.add(run.name)
            for name in ("summary.json", "report.html"):
                (run.path / name).touch()


def opened(study):
    journal = study.path / "tuning" / "trials.journal"
    mend(journal)
    trials = [Trials(point, study.config.tuning, journal) for point in study.points]
    times = iter(range(0, 10_000, 5))
    return trials, Tuner(study, trials, clock=lambda: next(times))


def told(run):
    return run.name, run.path, run.config


def states(trials):
    return [trial.state.name.lower() for trial in trials.all]


@pytest.mark.medium
def test_a_trial_is_runs_of_its_settings_with_seeds_of_tuning(study):
    made = study()
    (trials,), tuner = opened(made)
    sweep = FakeSweep()
    tuner(sweep)
    assert [run.name for run in sweep.added] == ["sac/trial=0/seed10", "sac/trial=0/seed11"]
    assert sweep.added[0].path == made.path / "tuning/runs/sac/trial=0/seed10"
    agent = sweep.added[0].config.agent.model_dump()
    values = settings(made.config.tuning, trials.all[0].params)
    assert {path: agent[path.split(".")[1]] for path in SPACE} == {
        **values, "agent.policy_hidden": tuple(values["agent.policy_hidden"]),
    }  # fmt: skip
    file = json.loads((made.path / "experiments/sac/trial=0.json").read_text())
    assert file["agent"]["alpha"] == values["agent.alpha"]
    tuner(sweep)
    assert len(sweep.added) == 2


@pytest.mark.medium
def test_whoever_watches_sees_the_runs_of_trials(study):
    made = study()
    _, tuner = opened(made)
    sweep = FakeSweep(places=22)
    tuner(sweep)
    assert len(sweep.added) == 12
    watched = study()
    watched.add_tried()
    watched.add_tried()
    assert [told(run) for run in watched.runs] == [told(run) for run in sweep.added]


@pytest.mark.medium
def test_a_trials_value_is_the_mean_of_its_last_evaluations(study):
    (trials,), tuner = opened(study())
    sweep = FakeSweep()
    tuner(sweep)
    sweep.leave(sweep.added[0], {0: 0.0, 50: 0.9, 100: 0.4}, done=True)
    sweep.leave(sweep.added[1], {0: 0.0, 50: 0.9}, done=False)
    tuner(sweep)
    assert states(trials)[0] == "running"
    sweep.leave(sweep.added[1], {0: 0.0, 50: 0.9, 100: 0.8}, done=True)
    tuner(sweep)
    assert trials.all[0].value == pytest.approx(0.6)
    assert trials.all[0].intermediate_values == {50: 0.9, 100: pytest.approx(0.6)}
    assert [run.name for run in sweep.added[2:4]] == ["sac/trial=1/seed10", "sac/trial=1/seed11"]


@pytest.mark.medium
def test_the_last_trial_ends_in_the_same_turn_as_its_last_run(study):
    """After that turn nothing runs any more, and nobody is asked again."""
    made = study(trials=1)
    (trials,), tuner = opened(made)
    tuner = Tuner(made, [trials], clock=lambda: 0.0)
    sweep = FakeSweep()
    tuner(sweep)
    for run in sweep.added:
        sweep.leave(run, {0: 0.0, 100: 1.0}, done=True)
    tuner(sweep)
    assert states(trials) == ["complete"]


@pytest.mark.medium
def test_a_trial_below_the_median_at_a_step_of_all_its_seeds_is_stopped(study):
    (trials,), tuner = opened(study())
    sweep = FakeSweep()
    for _ in range(2):
        tuner(sweep)
        for run in sweep.added[-2:]:
            sweep.leave(run, {0: 0.0, 50: 0.5}, done=False)
        tuner(sweep)
        for run in sweep.added[-2:]:
            sweep.leave(run, {0: 0.0, 50: 0.5, 100: 0.8}, done=True)
    tuner(sweep)
    one, other = sweep.added[-2:]
    sweep.leave(one, {0: 0.0, 50: 0.4}, done=False)
    tuner(sweep)
    assert sweep.dropped == []
    sweep.leave(other, {0: 0.0, 50: 0.4}, done=False)
    tuner(sweep)
    assert sweep.dropped == [one, other]
    assert states(trials) == ["complete", "complete", "pruned", "running"]


@pytest.mark.medium
def test_a_trial_whose_run_was_given_up_fails_and_takes_the_others_with_it(study):
    (trials,), tuner = opened(study())
    sweep = FakeSweep()
    tuner(sweep)
    sweep.given_up[sweep.added[0].name] = "diverged"
    tuner(sweep)
    assert [run.name for run in sweep.dropped] == [run.name for run in sweep.added[:2]]
    assert states(trials)[0] == "fail"


@pytest.mark.medium
def test_a_search_that_was_killed_goes_on_with_the_trials_that_were_open(study):
    whole = FakeSweep()
    _, tuner = opened(study())
    tuner(whole)
    (_, tuner), sweep = opened(study()), FakeSweep()
    tuner(sweep)
    assert [run.config for run in sweep.added] == [run.config for run in whole.added]
    for run in sweep.added:
        sweep.leave(run, {0: 0.0, 100: 1.0}, done=True)
    journal = study().path / "tuning" / "trials.journal"
    with journal.open("a") as file:
        file.write('{"cut in the mid')
    (trials,), tuner = opened(study())
    again = FakeSweep()
    again.done = sweep.done
    tuner(again)
    tuner(again)
    assert states(trials) == ["complete", "running"]
    assert trials.all[0].params != trials.all[1].params
    assert {type(json.loads(line)) for line in journal.read_text().splitlines()} == {dict}


@pytest.mark.medium
def test_it_ends_after_as_many_trials_as_it_says_and_tells_the_best(study, tmp_path):
    made = study(trials=4, pruning_after=None)
    (trials,), tuner = opened(made)
    sweep = FakeSweep()
    for value in (0.1, 0.7, 0.3, 0.2, 0.0, 0.0):
        tuner(sweep)
        for run in sweep.added[-2:]:
            sweep.leave(run, {0: 0.0, 100: value}, done=True)
    assert states(trials) == ["complete"] * 4
    write_tuned(tmp_path / "t", made.config.tuning, [trials])
    best = json.loads((tmp_path / "t/best/sac.json").read_text())
    values = settings(made.config.tuning, trials.all[1].params)
    assert best["agent"]["alpha"] == values["agent.alpha"]
    assert best["agent"]["policy_hidden"] == values["agent.policy_hidden"]
    assert headline(made.config.tuning, trials) == (
        "sac: 4 trials, 4 complete; best success_ever 0.70, trial 1"
    )
    table = rows(made.config.tuning, trials)
    assert [row[0] for row in table] == ["field", *SPACE]
    assert table[4][1] == str(values["agent.policy_hidden"])
    records = json.loads((tmp_path / "t/trials.json").read_text())["trials"]
    assert [record["value"] for record in records] == [0.1, 0.7, 0.3, 0.2]


@pytest.mark.medium
def test_trials_of_another_search_are_not_gone_on_with(study):
    opened(study())
    changed = {**SPACE, "agent.tau": {"type": "float", "low": 0.5, "high": 0.6}}
    with pytest.raises(ConfigError, match=r"from before tuning.space was changed"):
        opened(study(space=changed))
    with pytest.raises(ConfigError, match=r"from before tuning.seeds was changed"):
        opened(study(seeds=[12]))


@pytest.mark.parametrize(
    ("path", "dimension", "told"),
    [
        ("agent.alhpa", SPACE["agent.alpha"], "did you mean 'alpha'"),
        ("agent.tau", {"type": "float", "low": 0.1, "high": 1.5}, "tau"),
        ("agent.squash", {"type": "categorical", "choices": [True, "yes"]}, "squash"),
    ],
)
def test_a_space_with_a_value_that_no_run_may_have_is_refused_before_the_first(
    study, path, dimension, told
):
    made = study(space={path: dimension})
    with pytest.raises(ConfigError, match=told):
        check_space(made.points[0], made.config.tuning)


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"kind": "halfcheetah"}, "halfcheetah has no success; set tuning.measure to return_mean"),
        (None, "has no environment, so that nothing is measured"),
    ],
)
def test_what_no_run_would_measure_is_refused_before_the_first(env, told):
    experiment = {"env": env, "agent": {"kind": "td3-bc"}}
    experiment["demonstrations"] = {"source": "shipped", "name": "door"}
    fields = config(space={"agent.tau": SPACE["agent.tau"]})
    made = StudyConfig.model_validate({**fields, "experiments": {"a": experiment}})
    found = Study.of(made, "s.json")
    with pytest.raises(ConfigError, match=told):
        check_space(found.points[0], made.tuning)


@pytest.mark.medium
@pytest.mark.parametrize(("after", "warned"), [(None, 1), (0.4, 0)])
def test_a_first_trial_that_tells_no_success_counts_as_none_and_is_told(study, after, warned):
    (trials,), tuner = opened(study())
    sweep = FakeSweep()
    for value in (after, None):
        tuner(sweep)
        for run in sweep.added[-2:]:
            sweep.leave(run, {0: None, 50: value, 100: None}, done=True)
    tuner(sweep)
    assert [trials.all[number].value for number in (0, 1)] == [0.0, 0.0]
    assert trials.all[0].intermediate_values == {50: after or 0.0, 100: 0.0}
    assert len(sweep.said) == warned
    assert all("sac/trial=0/seed10 told success" in line for line in sweep.said)


@pytest.mark.medium
def test_a_later_evaluation_without_success_is_none_of_it(study):
    (trials,), tuner = opened(study())
    sweep = FakeSweep()
    tuner(sweep)
    for run in list(sweep.added):
        sweep.leave(run, {0: 0.5, 50: 0.9, 100: None}, done=True)
    tuner(sweep)
    assert trials.all[0].value == 0.0


@pytest.mark.parametrize(
    ("tuning", "more", "told"),
    [
        ({"seeds": [9, 10]}, {}, "9 is below 10, and these are for reporting"),
        ({"seeds": "10:12"}, {"seeds": [0, 11]}, "11 is one of the study's own seeds too"),
        ({}, {"grid": {"agent.alpha": [1, 2]}}, "agent.alpha: is an axis of the grid, too"),
        ({"space": {"agent.alpha": {"type": "log", "low": 0.0, "high": 1.0}}}, {}, "greater than"),
        ({"space": {"agent.tau": {"type": "float", "low": 1.0, "high": 1.0}}}, {}, "below high"),
        ({"space": {"a": {"type": "categorical", "choices": [1, 1]}}}, {}, "given twice"),
    ],
)
def test_a_search_that_would_mislead_is_refused(tuning, more, told):
    with pytest.raises(ValidationError, match=told):
        StudyConfig.model_validate({**config(**tuning), **more})


def test_without_optuna_it_says_what_to_install(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r'pip install "nppac-agents\[tune\]"'):
        opened(study())
