import pytest
from nppac_agents.metrics_file import read_metrics
from nppac_agents.reporting.statistics import wilson
from nppac_agents.running.run_evaluation import evaluate
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium


def test_without_options_it_finds_what_the_run_reported(finished):
    reported = next(e for e in read_metrics(finished.metrics) if e["event"] == "reporting")
    found = evaluate(finished, reported["policy"]).as_json()
    assert found["per_episode"] == reported["per_episode"]
    assert found["measures"]["return_mean"] == reported["return_mean"]
    assert list(found["intervals"]["success_ever"]) == reported["intervals"]["success_ever"]
    assert (found["first_seed"], found["episodes"], found["selection_starts"]) == (10_000, 6, False)


def test_other_starts_give_other_episodes_and_say_if_the_policy_was_chosen_on_them(finished):
    there = evaluate(finished, "last", first_seed=1_003, episodes=3)
    assert list(there.seeds) == [1_003, 1_004, 1_005]
    assert there.chosen_on
    assert "are chosen on these starts" in there.as_text()
    assert not evaluate(finished, "last", first_seed=1_004, episodes=3).chosen_on


def test_sampled_actions_are_the_same_at_every_call_and_not_the_means(finished):
    first, again = (evaluate(finished, "last", deterministic=False) for _ in range(2))
    mean = evaluate(finished, "last")
    assert first.measures.returns.tolist() == again.measures.returns.tolist()
    assert first.measures.solved_fraction.tolist() != mean.measures.solved_fraction.tolist()


def test_the_table_fits_a_terminal_and_has_the_interval(finished):
    evaluated = evaluate(finished, "prior")
    lines = evaluated.as_text().splitlines()
    assert max(map(len, lines[1:])) <= 80
    solved = int(evaluated.measures.success_ever.sum())
    low, high = wilson(solved, 6)
    assert f"{solved / 6:.2f}" in lines[6]
    assert f"{low:.2f} to {high:.2f}" in lines[6]


def test_a_run_without_an_environment_is_refused(finished, point_experiment, monkeypatch):
    alone = point_experiment.model_copy(update={"env": None})
    monkeypatch.setattr(type(finished), "config", lambda self: alone)
    with pytest.raises(ConfigError, match="names no environment to evaluate in"):
        evaluate(finished)
