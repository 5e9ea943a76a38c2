"""Every kind of agent through a whole run: phases, metrics, report, checkpoint and resume."""

import functools

import pytest
from equal_runs import assert_equal_checkpoints
from method_table import METHODS, SMALL, configured
from nppac_agents.agent import Agent
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import load_agent
from nppac_agents.studies.estimate import timed_seconds
from nppac_priors.errors import ConfigError
from small_runs import run_in

pytestmark = pytest.mark.medium

OFTEN = {"awac"}
"""A kind with all three phases and rollouts; the others' whole runs are slow tests."""
RUN = [kind for kind, row in METHODS.items() if row.updates is not None]
WHOLE_RUNS = [kind if kind in OFTEN else pytest.param(kind, marks=pytest.mark.slow) for kind in RUN]


def experiment_of(kind: str, point_experiment: ExperimentConfig) -> ExperimentConfig:
    agent = configured(agent_registry().get(kind), SMALL, METHODS[kind].small)
    prior = point_experiment.prior if agent.uses_prior else None
    training = point_experiment.training.model_copy(update={"start_steps": 60})
    logging = point_experiment.logging.model_copy(update={"every": 10, "checkpoint_every": 50})
    evaluation = point_experiment.evaluation.model_copy(update={"every": 50})
    changes = {"agent": agent, "prior": prior, "training": training, "logging": logging}
    return point_experiment.model_copy(update=changes | {"evaluation": evaluation})


@pytest.fixture(scope="module")
def undisturbed(point_experiment_in, tmp_path_factory):
    """The summary and the directory of a kind's run with its report; to read, and made once."""

    @functools.cache
    def undisturbed(kind: str):
        folder = tmp_path_factory.mktemp(kind)
        config = experiment_of(kind, point_experiment_in(folder))
        return run_in(folder / "run", config, report=True), RunDirectory(folder / "run")

    return undisturbed


@pytest.mark.parametrize("kind", WHOLE_RUNS)
def test_a_run_goes_through_its_phases(kind, undisturbed):
    summary, run = undisturbed(kind)
    events = read_metrics(run.metrics)
    training = [event["phase"] for event in events if event["event"] == "train"]
    assert list(dict.fromkeys(training)) == list(METHODS[kind].phases)
    assert summary["status"] == "done"
    assert summary["env_steps"] == (150 if "online" in METHODS[kind].phases else 0)
    assert summary["updates"] == METHODS[kind].updates
    assert run.report.stat().st_size > 10_000
    evaluations = [(e["env_steps"], e["updates"]) for e in events if e["event"] == "evaluation"]
    assert len(evaluations) == len(set(evaluations)) >= 2
    assert evaluations[0] == (0, METHODS[kind].first_updates), "judged before it learns"


def with_rollouts(point_experiment, rollout_steps):
    config = experiment_of("awac", point_experiment)
    agent = config.agent.model_copy(update={"rollout_steps": rollout_steps})
    return config.model_copy(update={"agent": agent})


def test_rollouts_earn_no_updates(point_experiment, run_point):
    """Else all of them would be made at once, before the next environment step."""
    summary, run = run_point(with_rollouts(point_experiment, 90))
    assert summary["env_steps"] == 150
    before = 10 + 60
    assert summary["updates"] == before + (150 - 90)
    events = read_metrics(run.metrics)
    online = [e for e in events if e["event"] == "train" and e["phase"] == "online"]
    assert [(e["updates"] - before, e["env_steps"] - 90) for e in online][:2] == [
        (10, 12),
        (20, 21),
    ]


def test_rollouts_that_leave_no_steps_to_learn_from_are_refused(point_experiment, run_point):
    with pytest.raises(ConfigError, match=r"rollouts take 150 .* training.env_steps are 150"):
        run_point(with_rollouts(point_experiment, 150))


@pytest.mark.parametrize("kind", WHOLE_RUNS)
def test_a_run_killed_between_updates_resumes_as_if_nothing_had_happened(
    kind, undisturbed, point_experiment, killed_and_resumed
):
    config = experiment_of(kind, point_experiment)
    _, whole = undisturbed(kind)
    resumed = killed_and_resumed(config, lambda phases: len(phases) == 55)
    assert_equal_checkpoints(whole.path, resumed.path)


@pytest.mark.parametrize("kind", RUN)
def test_a_dry_run_updates_every_phase(kind, point_experiment, run_point, optimizer_steps):
    summary, _ = run_point(experiment_of(kind, point_experiment), dry_run=True)
    assert summary == {}
    assert len(optimizer_steps) == METHODS[kind].dry_steps


def test_a_policy_is_loaded_from_a_run_without_prior(
    point_experiment, run_point, demonstrations, monkeypatch
):
    config = experiment_of("bc", point_experiment)
    _, run = run_point(config)
    monkeypatch.setattr(type(run), "config", lambda self: config)
    actions = load_agent(run).act(demonstrations.states[:3], deterministic=True)
    assert actions.shape == (3, 2)


def test_a_prior_for_an_agent_that_uses_none_is_refused(point_experiment, run_point):
    config = experiment_of("sac", point_experiment)
    with pytest.raises(ConfigError, match="prior: agent 'sac' uses none; set prior to null"):
        run_point(config.model_copy(update={"prior": point_experiment.prior}))


@pytest.mark.parametrize("kind", RUN)
def test_its_time_is_estimated_from_updates_as_each_phase_makes_them(
    kind, point_experiment_in, tmp_path, monkeypatch
):
    learn, first = Agent.learn, {}

    def recorded(agent, phase, replay):
        before = agent.phases[: agent.phases.index(phase)]
        made = sum(earlier.length for earlier in before if earlier.update is not None)
        first.setdefault(phase.name, (agent.updates, made))
        return learn(agent, phase, replay)

    monkeypatch.setattr(Agent, "learn", recorded)
    assert timed_seconds(experiment_of(kind, point_experiment_in(tmp_path))) > 0
    assert {"online", "offline"} & first.keys()
    assert all(updates == made for updates, made in first.values())
