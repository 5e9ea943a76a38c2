import copy
import dataclasses
import io
import json
import os
import signal

import numpy as np
import pytest
import torch
from equal_runs import assert_equal_checkpoints, timeless_events
from nppac_agents.agent import Agent
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running import run as run_module
from nppac_agents.running import training as training_module
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.checkpoint_writer import CheckpointWriter
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.interruption import Interrupted
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run import run_experiment
from nppac_agents.running.run_directory import RunDirectory
from nppac_envs import NpzConfig
from nppac_envs.errors import FaultyEnvironmentError
from nppac_priors import load_prior
from nppac_priors.errors import ConfigError, NumericalError

pytestmark = pytest.mark.medium


def test_a_run_leaves_everything_that_the_design_names(point_run):
    summary, run = point_run
    assert summary["status"] == "done"
    assert summary["env_steps"] == 150
    assert summary["updates"] == 120
    for path in (run.metrics, run.prior, run.prior_std, run.report, run.path / "environment.json"):
        assert path.stat().st_size > 0
    assert run.summary() == summary
    assert summary["time_spent"].keys() == {
        "update", "acting", "prior", "environment", "evaluation", "checkpoint", "rest"
    }  # fmt: skip
    assert sum(summary["time_spent"].values()) == pytest.approx(summary["wall_seconds"], abs=0.5)
    assert load_prior(run.prior).state_dim == 4
    events = read_metrics(run.metrics)
    assert [e["env_steps"] for e in events if e["event"] == "evaluation"] == [0, 51, 102, 150]
    required = {"event", "phase", "env_steps", "updates", "wall_seconds"}
    assert all(required <= event.keys() for event in events)
    logged = {
        "critic_loss", "actor_loss", "kl", "alpha", "critic_value", "target_value",
        "actor_grad_norm", "critic_grad_norm", "actor_std", "prior_std",
    }  # fmt: skip
    assert all(logged <= event.keys() for event in events if event["event"] == "train")
    evaluations = [e for e in events if e["event"] == "evaluation"]
    assert summary["before"]["success_ever"] == evaluations[0]["success_ever"]
    assert summary["after"]["success_ever"] == evaluations[-1]["success_ever"]


def test_products_have_the_runs_precision_while_it_runs(point_experiment, run_point, monkeypatch):
    seen, step = set(), Agent.step

    def watched(self, batch):
        seen.add(torch.get_float32_matmul_precision())
        return step(self, batch)

    monkeypatch.setattr(Agent, "step", watched)
    training = point_experiment.training.model_copy(
        update={"matmul_precision": "medium", "env_steps": 90}
    )
    run_point(point_experiment.model_copy(update={"training": training}))
    assert seen == {"medium"}
    assert torch.get_float32_matmul_precision() == "highest"


def test_the_last_policy_is_reported_on_starts_that_served_no_evaluation(
    point_experiment, run_point, point_config, monkeypatch
):
    played = []
    evaluate = Evaluator.evaluate

    def watched(self, policy, seeds):
        played.append((policy, seeds))
        generators, everybodys = (policy.acting, policy.noise), torch.get_rng_state()
        before = [generator.get_state() for generator in generators]
        measures = evaluate(self, policy, seeds)
        for generator, state in zip(generators, before, strict=True):
            assert torch.equal(generator.get_state(), state)
        assert torch.equal(torch.get_rng_state(), everybodys)
        return measures

    monkeypatch.setattr(Evaluator, "evaluate", watched)
    summary, run = run_point(point_experiment)
    seeds = range(10_000, 10_006)
    assert {seeds for _, seeds in played} == {range(1000, 1004), seeds}
    policy = played[-1][0]
    events = read_metrics(run.metrics)
    order = [e["event"] for e in events if e["event"] != "train"]
    assert order == sorted(order), "evaluations, then reports"
    assert order.count("evaluation") + order.count("reporting") == len(played)
    event = next(e for e in events if e["event"] == "reporting")
    assert event["policy"] == "last"
    measures = evaluate(Evaluator(point_config, 6), policy, seeds)
    assert event["per_episode"]["time_to_success"] == measures.per_episode()["time_to_success"]
    assert event["per_episode"]["success_at_end"] == measures.per_episode()["success_at_end"]
    assert summary["reported"]["success_ever"] == measures.means()["success_ever"]
    low, high = summary["reported_intervals"]["success_ever"]
    assert low <= summary["reported"]["success_ever"] <= high
    assert summary["protocol"] == {
        "selection": {"first_seed": 1000, "episodes": 4},
        "reporting": {"first_seed": 10_000, "episodes": 6},
    }


@pytest.fixture
def returns(monkeypatch):
    """Makes the evaluations on selection starts return these, one after the other."""

    def prescribe(*values):
        evaluate, left = Evaluator.evaluate, list(values)

        def prescribed(self, policy, seeds):
            measures = evaluate(self, policy, seeds)
            if seeds.start < 10_000:
                measures = dataclasses.replace(
                    measures, returns=np.full_like(measures.returns, left.pop(0))
                )
            return measures

        monkeypatch.setattr(Evaluator, "evaluate", prescribed)

    return prescribe


def test_the_best_policy_is_kept_and_reported_beside_the_last(
    point_experiment, run_point, returns, monkeypatch
):
    returns(1.0, 9.0, 2.0, 1.0)
    report, agents = training_module.Training.report, []

    def watched(self, folder):
        report(self, folder)
        agents.append(self.agent)

    monkeypatch.setattr(training_module.Training, "report", watched)
    select = point_experiment.evaluation.model_copy(update={"select_over": 1})
    summary, run = run_point(point_experiment.model_copy(update={"evaluation": select}))
    (kept,) = [Checkpoint.load(path) for path in checkpoints(run.checkpoints / "best")[-1:]]
    assert kept.position["env_steps"] == summary["best"]["env_steps"] == 51
    assert kept.tensors.keys() == {"agent"}
    last, best = (e for e in read_metrics(run.metrics) if e["event"] == "reporting")
    assert (last["policy"], last["of_env_steps"]) == ("last", 150)
    assert (best["policy"], best["of_env_steps"]) == ("best", 51)
    assert summary["best"]["reported"]["return_mean"] == best["return_mean"]
    assert summary["reported"]["return_mean"] == last["return_mean"]
    final = Checkpoint.load(checkpoints(run.checkpoints)[-1])
    different = [
        name
        for name, value in kept.tensors["agent"].items()
        if not torch.equal(value, final.tensors["agent"][name])
    ]
    assert different
    assert all(
        torch.equal(value, final.tensors["agent"][name])
        for name, value in agents[0].state().items()
    ), "after the report the agent is the last one again"


def test_the_untrained_policy_is_kept_where_learning_only_lowers_it(
    point_experiment, run_point, returns
):
    returns(9.0, 1.0, 2.0, 1.0)
    summary, _ = run_point(point_experiment)
    assert summary["best"]["updates"] == summary["best"]["env_steps"] == 0


@pytest.mark.slow
def test_a_resumed_run_keeps_the_same_policy(point_experiment, run_point, point_run, monkeypatch):
    whole, run = point_run
    with monkeypatch.context() as patch:
        learn, left = Agent.learn, [85]

        def killed(self, *given):
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            return learn(self, *given)

        patch.setattr(Agent, "learn", killed)
        with pytest.raises(KeyboardInterrupt):
            run_point(point_experiment, "killed")
    resumed, again = run_point(point_experiment, "killed", resume=True)
    assert resumed["best"] == whole["best"]
    one, other = (
        Checkpoint.load(checkpoints(d.checkpoints / "best")[-1]).tensors["agent"]
        for d in (run, again)
    )
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.slow
def test_without_reporting_starts_nothing_is_reported(point_experiment, run_point, point_run):
    unreported = point_experiment.evaluation.model_copy(update={"reporting_episodes": 0})
    summary, run = run_point(point_experiment.model_copy(update={"evaluation": unreported}), "bare")
    assert summary["reported"] is summary["reported_intervals"] is None
    assert summary["protocol"]["reporting"] is None
    assert_equal_checkpoints(point_run[1].path, run.path)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_and_another_does_not(
    point_experiment, run_point, point_run
):
    _, one = point_run
    _, two = run_point(point_experiment, "two")
    assert timeless_events(one.path) == timeless_events(two.path)
    assert_equal_checkpoints(one.path, two.path)
    _, three = run_point(point_experiment.model_copy(update={"seed": 1}), "three")
    assert timeless_events(one.path) != timeless_events(three.path)


@pytest.mark.parametrize(
    "after", [24, *(pytest.param(update, marks=pytest.mark.slow) for update in (0, 75, 117))]
)
def test_a_killed_run_resumes_as_if_nothing_had_happened(
    point_experiment, run_point, point_run, monkeypatch, after
):
    _, whole = point_run

    class Killed(BaseException):
        pass

    step = training_module.Training._interact

    def killed_step(self, phase):
        if self.recorder.env_steps >= after:
            raise Killed
        step(self, phase)

    monkeypatch.setattr(training_module.Training, "_interact", killed_step)
    with pytest.raises(Killed):
        run_point(point_experiment, "killed")
    monkeypatch.undo()
    _, resumed = run_point(point_experiment, "killed", resume=True)
    assert timeless_events(whole.path) == timeless_events(resumed.path)
    assert_equal_checkpoints(whole.path, resumed.path)


def test_a_checkpoint_stays_as_it_was_given_while_learning_goes_on(
    point_experiment, run_point, monkeypatch
):
    """It is written meanwhile."""
    given = []
    save = CheckpointWriter.save

    def watched(self, checkpoint, folder, **options):
        given.append((checkpoint, copy.deepcopy(checkpoint)))
        save(self, checkpoint, folder, **options)

    monkeypatch.setattr(CheckpointWriter, "save", watched)
    run_point(point_experiment)
    assert len(given) > 4
    for now, then in given:
        assert now.position == then.position
        assert now.tensors.keys() == then.tensors.keys()
        for owner, tensors in now.tensors.items():
            assert all(torch.equal(v, then.tensors[owner][name]) for name, v in tensors.items())


@pytest.mark.slow
@pytest.mark.parametrize("place", ["while it reports", "before its summary"])
def test_a_run_killed_at_its_end_reports_the_same_when_resumed(
    point_experiment, run_point, point_run, monkeypatch, place
):
    expected, whole = point_run

    class Killed(BaseException):
        pass

    evaluate = Evaluator.evaluate

    def killed_evaluate(self, policy, seeds):
        if seeds.start == 10_000:
            raise Killed
        return evaluate(self, policy, seeds)

    def killed_summary(run, recorder):
        raise Killed

    if place == "while it reports":
        monkeypatch.setattr(Evaluator, "evaluate", killed_evaluate)
    else:
        monkeypatch.setattr(run_module, "_summary", killed_summary)
    with pytest.raises(Killed):
        run_point(point_experiment, "killed")
    monkeypatch.undo()
    summary, resumed = run_point(point_experiment, "killed", resume=True)
    assert timeless_events(whole.path) == timeless_events(resumed.path)
    for name in ("wall_seconds", "time_spent", "config_hash"):  # the folder differs
        summary[name] = expected[name]
    assert summary == expected


@pytest.mark.slow
def test_an_interrupted_run_writes_a_checkpoint_and_resumes(
    point_experiment, run_point, point_run, monkeypatch
):
    _, whole = point_run
    step = training_module.Training._interact

    def interrupted_step(self, phase):
        if self.recorder.env_steps == 120:
            os.kill(os.getpid(), signal.SIGTERM)
        step(self, phase)

    monkeypatch.setattr(training_module.Training, "_interact", interrupted_step)
    with pytest.raises(Interrupted):
        run_point(point_experiment, "interrupted")
    monkeypatch.undo()
    _, run = run_point(point_experiment, "interrupted", resume=True)
    assert timeless_events(whole.path) == timeless_events(run.path)
    assert_equal_checkpoints(whole.path, run.path)


def test_a_distilled_start_is_trained_before_the_first_evaluation(point_experiment, run_point):
    agent = point_experiment.agent.model_copy(
        update={"start": "distilled", "pretraining_epochs": 5}
    )
    _, run = run_point(point_experiment.model_copy(update={"agent": agent}))
    events = read_metrics(run.metrics)
    assert events[0]["phase"] == "pretrain"
    first = next(e for e in events if e["event"] == "evaluation")
    assert (first["env_steps"], first["updates"]) == (0, 10)


def test_a_dry_run_makes_one_update_and_no_more(point_experiment, run_point, optimizer_steps):
    summary, _ = run_point(point_experiment, dry_run=True)
    assert summary == {}
    assert len(optimizer_steps) == 3, "one of the critics, one of the policy, one of alpha"


def test_a_dry_run_goes_once_through_evaluation_checkpoint_resume_and_report(
    point_experiment, run_point, monkeypatch
):
    restored = []
    restore = training_module.Training.restore
    monkeypatch.setattr(
        training_module.Training,
        "restore",
        lambda self, checkpoint: restored.append(checkpoint) or restore(self, checkpoint),
    )
    summary, run = run_point(point_experiment, report=True, dry_run=True)
    assert summary == {}
    events = read_metrics(run.metrics)
    assert [(e["event"], e["episodes"]) for e in events] == [("evaluation", 1), ("reporting", 1)]
    assert len(restored) == len(checkpoints(run.checkpoints)) == 1
    assert run.report.stat().st_size > 0
    assert run.summary()["after"]["return_mean"] == events[0]["return_mean"]


@pytest.mark.parametrize("told", [True, False])
def test_success_that_is_claimed_and_never_reported_fails_the_dry_run(
    point_experiment, run_point, point_config, told
):
    class Silent(type(point_config)):
        def make(self, *, render_mode=None):
            env = super().make()
            step = env.unwrapped.step
            env.unwrapped.step = lambda action: (
                *step(action)[:4],
                {"is_success": 1} if told else {},
            )
            return env

    silent = point_experiment.model_copy(update={"env": Silent()})
    if told:
        assert run_point(silent, dry_run=True)[0] == {}
    else:
        with pytest.raises(FaultyEnvironmentError, match="says has_success, and no info"):
            run_point(silent, dry_run=True)


@pytest.mark.parametrize("select_by", ["success_ever", "return_mean"])
def test_a_choice_by_success_that_nobody_tells_is_warned_of(
    point_experiment, tmp_path, point_config, select_by
):
    class Untold(type(point_config)):
        @property
        def has_success(self):
            return None

        def make(self, *, render_mode=None):
            env = super().make()
            step = env.unwrapped.step
            env.unwrapped.step = lambda action: (*step(action)[:4], {})
            return env

    evaluation = point_experiment.evaluation.model_copy(update={"select_by": select_by})
    config = point_experiment.model_copy(update={"env": Untold(), "evaluation": evaluation})
    directory, console = RunDirectory(tmp_path / "untold"), io.StringIO()
    directory.checkpoints.mkdir(parents=True)
    run_experiment(config, run_dir=directory, console=PlainConsole(console), dry_run=True)
    told = console.getvalue()
    assert "dry run" in told
    warning = "warning: no step told success, so that evaluation.select_by 'success_ever' counts"
    assert (warning in told) == (select_by == "success_ever")


def test_a_quantity_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(
    point_experiment, run_point, tmp_path
):
    agent = point_experiment.agent.model_copy(update={"critic_learning_rate": 1e30})
    with pytest.raises(
        NumericalError, match=r"the policy's action is not finite|is (nan|inf|-inf) by update"
    ):
        run_point(point_experiment.model_copy(update={"agent": agent}))
    folder = tmp_path / "run" / "checkpoints"
    tensors = Checkpoint.load(checkpoints(folder)[-1]).tensors["agent"]
    assert all(torch.isfinite(tensor.double()).all() for tensor in tensors.values())


def test_demonstrations_of_another_task_are_refused(point_experiment, run_point, tmp_path):
    path = tmp_path / "wrong.npz"
    np.savez(
        path, states=np.zeros((6, 3)), actions=np.zeros((6, 2)), episode_lengths=[6],
        final_states=np.zeros((1, 3)),
    )  # fmt: skip
    wrong = point_experiment.model_copy(
        update={"demonstrations": NpzConfig(source="npz", path=path)}
    )
    with pytest.raises(ConfigError, match=r"has 3 state and 2 action dimensions, env 'point'"):
        run_point(wrong)


def test_cuda_is_refused_where_there_is_none(point_experiment, run_point):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(ConfigError, match="'cuda' is not available"):
        run_point(point_experiment.model_copy(update={"device": "cuda"}))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_run_on_the_gpu(point_experiment, run_point):
    summary, run = run_point(point_experiment.model_copy(update={"device": "cuda"}))
    assert summary["updates"] == 120
    environment = json.loads((run.path / "environment.json").read_text())
    assert environment["device"].startswith("cuda")


def test_the_resolved_config_has_nothing_left_to_defaults(point_experiment):
    assert isinstance(point_experiment, ExperimentConfig)
    data = point_experiment.model_dump(mode="json")
    assert data["agent"]["policy_learning_rate"] == 1e-4
    assert data["prior"]["kernel"] == "matern52"
