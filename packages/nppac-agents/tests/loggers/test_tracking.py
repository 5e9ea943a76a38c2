"""trackio and wandb are told a run's numbers once, in order, and a run can do without them."""

import importlib
import json
import sys

import pytest
import tracking_stand_ins
from nppac_agents.loggers import tracking
from nppac_agents.loggers.services import TrackioConfig, WandbConfig
from nppac_priors.errors import ConfigError

RUN_ID = "0123456789abcdef" * 2


@pytest.fixture
def stand_in(monkeypatch):
    """Makes `import NAME` give a fresh stand-in."""
    return lambda name: tracking_stand_ins.install(monkeypatch, name)


@pytest.fixture
def run_dir(tmp_path):
    """A run directory as a run has it when its loggers are opened."""
    (tmp_path / "door-seed0").mkdir()
    return written(tmp_path / "door-seed0", env_steps=1_000)


def written(folder, env_steps):
    experiment = {"agent": {"kind": "sac"}, "training": {"env_steps": env_steps}}
    (folder / "config.json").write_text(json.dumps(experiment))
    (folder / "environment.json").write_text(json.dumps({"run_id": RUN_ID}))
    return folder


def event(env_steps, updates=0, phase="online", **numbers):
    position = {"env_steps": env_steps, "updates": updates, "wall_seconds": 1.5}
    kind = phase if phase in ("evaluation", "reporting") else "train"
    return {"event": kind, "phase": phase, **position, **numbers}


def told(rows, *names):
    return [(step, *(row.get(name) for name in names)) for step, row in rows]


def test_trackio_gets_numbers_by_phase_over_environment_steps(stand_in, run_dir):
    trackio = stand_in("trackio")
    tracker = TrackioConfig(project="doors").open(run_dir)
    tracker.write(event(0, 50, "pretrain", actor_loss=0.5))
    tracker.write(event(0, 50, "evaluation", success_ever=0.0, per_episode={"x": [1.0]}))
    tracker.write(event(100, 70, kl=2.5, rollout_return=None))
    tracker.write(event(100, 70, "resume", changes={"logging.every": [1, 2]}))
    tracker.close()
    assert list(trackio.RUNS) == [("doors", "door-seed0-01234567")]
    position = {"env_steps": 0, "updates": 50, "wall_seconds": 1.5}
    assert trackio.RUNS["doors", "door-seed0-01234567"] == [
        (50, {**position, "pretrain/actor_loss": 0.5}),
        (0, {**position, "evaluation/success_ever": 0.0}),
        (100, {**position, "env_steps": 100, "updates": 70, "online/kl": 2.5}),
    ]
    assert trackio.CONFIG["agent"] == {"kind": "sac"}
    assert trackio.CALLS[-1] == "finish"


def test_a_run_without_interaction_is_over_updates(stand_in, run_dir):
    trackio, wandb = stand_in("trackio"), stand_in("wandb")
    written(run_dir, env_steps=0)
    for tracker in (TrackioConfig().open(run_dir), WandbConfig().open(run_dir)):
        tracker.write(event(0, 20, "offline", kl=1.0))
        tracker.write(event(0, 20, "evaluation", success_ever=0.5))
    (rows,) = trackio.RUNS.values()
    assert told(rows) == [(20,), (20,)]
    assert wandb.RUNS[0].axes["*"] == "updates"


def test_wandb_gets_the_run_under_its_own_id(stand_in, run_dir, monkeypatch):
    wandb = stand_in("wandb")
    wandb.logged_in = True
    tracker = WandbConfig().open(run_dir)
    tracker.write(event(0, 50, "pretrain", actor_loss=0.5))
    tracker.write(event(100, 70, kl=2.5))
    tracker.write(event(100, 70, "evaluation", success_ever=1.0))
    tracker.close()
    (run,) = wandb.RUNS
    known = {"id": RUN_ID, "name": "door-seed0", "project": "nppac", "mode": "online"}
    assert run.options | known == run.options
    assert run.options["dir"] == str(run_dir)
    assert run.options["resume"] == "allow"
    assert run.options["settings"]["finish_timeout"] > 0, "a run would wait for a server that left"
    assert run.options["config"]["agent"] == {"kind": "sac"}
    assert run.axes == {
        "*": "updates",
        **dict.fromkeys(("rollouts/*", "online/*", "evaluation/*", "reporting/*"), "env_steps"),
    }
    assert told(run.rows, "env_steps", "online/kl", "evaluation/success_ever") == [
        (50, 0, None, None),
        (170, 100, 2.5, None),
        (170, 100, None, 1.0),
    ]
    assert run.finished
    monkeypatch.setenv("WANDB_PROJECT", "doors")
    monkeypatch.setenv("WANDB_DIR", "elsewhere")
    WandbConfig().open(run_dir)
    assert wandb.RUNS[-1].options["project"] == "doors"
    assert "dir" not in wandb.RUNS[-1].options
    WandbConfig(project="mine").open(run_dir)
    assert wandb.RUNS[-1].options["project"] == "mine"


def test_wandb_is_offline_where_nobody_is_logged_in_or_nobody_answers(
    stand_in, run_dir, capsys, monkeypatch
):
    wandb = stand_in("wandb")
    WandbConfig().open(run_dir)
    assert wandb.RUNS[-1].options["mode"] == "offline"
    assert not capsys.readouterr().err
    wandb.logged_in, wandb.answers = True, False
    tracker = WandbConfig().open(run_dir)
    assert wandb.RUNS[-1].options["mode"] == "offline"
    assert capsys.readouterr().err == (
        "warning: wandb: Error: timed out Consider another timeout; the run is kept in wandb/, for "
        "wandb sync\n"
    )
    tracker.write(event(100, kl=1.0))
    assert wandb.RUNS[-1].rows
    monkeypatch.setenv("WANDB_MODE", "disabled")
    WandbConfig().open(run_dir)
    assert wandb.RUNS[-1].options["mode"] == "disabled"


def test_both_policies_are_reported_apart(stand_in, run_dir):
    trackio = stand_in("trackio")
    tracker = TrackioConfig().open(run_dir)
    for policy, success in (("last", 0.25), ("best", 0.75)):
        tracker.write(event(900, 80, "reporting", policy=policy, success_ever=success))
    (rows,) = trackio.RUNS.values()
    names = ("reporting/last/success_ever", "reporting/best/success_ever")
    assert told(rows, *names) == [(900, 0.25, None), (900, None, 0.75)]


def test_what_a_resumed_run_says_again_is_told_once(stand_in, run_dir):
    """Killed in an evaluation, at 200 steps; its checkpoint is at 100."""
    trackio, wandb = stand_in("trackio"), stand_in("wandb")
    first = [event(100, 10, kl=1.0), event(100, 10, "evaluation", success_ever=0.5)]
    again = [event(200, 30, kl=2.0)]
    new = [event(200, 30, "evaluation", success_ever=1.0), event(300, 50, kl=3.0)]
    for config in (TrackioConfig(), WandbConfig()):
        tracker = config.open(run_dir)
        for each in (*first, *again):
            tracker.write(each)
        tracker.close()
    (run_dir / "metrics.jsonl").write_text("".join(json.dumps(e) + "\n" for e in first))
    for config in (TrackioConfig(), WandbConfig()):
        tracker = config.open(run_dir)
        for each in (*again, *new):
            tracker.write(each)
        tracker.close()
    (rows,) = trackio.RUNS.values()
    names = ("online/kl", "evaluation/success_ever")
    assert told(rows, *names) == [
        *((100, 1.0, None), (100, None, 0.5), (200, 2.0, None)),
        *((200, None, 1.0), (300, 3.0, None)),
    ]
    assert [run.options["id"] for run in wandb.RUNS] == [RUN_ID, RUN_ID]
    assert told(wandb.RUNS[0].rows, *names) == [
        (110, 1.0, None),
        (110, None, 0.5),
        (230, 2.0, None),
    ]
    assert told(wandb.RUNS[1].rows, *names) == [(230, None, 1.0), (350, 3.0, None)]


def test_what_a_killed_service_may_have_lost_is_told_again(stand_in, run_dir, monkeypatch):
    trackio = stand_in("trackio")
    now = [0.0]
    monkeypatch.setattr(tracking.time, "monotonic", lambda: now[0])
    tracker = TrackioConfig().open(run_dir)
    events = [event(100 * n, kl=float(n)) for n in (1, 2, 3)]
    for each, seconds in zip(events, (0.0, 4.0, 5.5), strict=True):
        now[0] = seconds
        tracker.write(each)
    ((_, rows),) = trackio.RUNS.items()
    rows.clear()
    again = TrackioConfig().open(run_dir)
    for each in events:
        again.write(each)
    assert told(rows, "online/kl") == [(200, 2.0), (300, 3.0)]


@pytest.mark.parametrize(
    "record",
    [
        {"run_id": RUN_ID[::-1], "told": {"online": [9_999, 9_999]}},
        {"run_id": RUN_ID, "told": {"online": 5}},
        {"run_id": RUN_ID, "told": {"online": [100, True]}},
        {"online": [100, 10]},
        [],
    ],
)
def test_a_record_that_is_not_this_runs_is_told_and_nothing_goes_on(
    stand_in, run_dir, capsys, record
):
    trackio = stand_in("trackio")
    (run_dir / "trackio.json").write_text(json.dumps(record))
    tracker = TrackioConfig().open(run_dir)
    tracker.write(event(100, kl=1.0))
    tracker.close()
    assert trackio.CALLS == []
    assert json.loads((run_dir / "trackio.json").read_text()) == record
    assert capsys.readouterr().err == (
        "warning: trackio: trackio.json is no record of what this run told; remove it, and a "
        "resume tells all of it anew; the run goes on, untracked from here\n"
    )


def test_a_logger_that_comes_later_is_told_what_the_run_wrote_before(stand_in, run_dir):
    trackio = stand_in("trackio")
    before = [event(100, 10, kl=1.0), event(200, 20, kl=2.0)]
    (run_dir / "metrics.jsonl").write_text("".join(json.dumps(e) + "\n" for e in before))
    tracker = TrackioConfig().open(run_dir)
    tracker.write(event(300, 30, kl=3.0))
    (rows,) = trackio.RUNS.values()
    assert told(rows, "online/kl") == [(100, 1.0), (200, 2.0), (300, 3.0)]


@pytest.mark.parametrize("failing", ["init", "log", "finish"])
def test_an_outage_is_one_line_and_the_run_goes_on(stand_in, run_dir, capsys, failing):
    trackio = stand_in("trackio")
    trackio.fails_at = failing
    tracker = TrackioConfig().open(run_dir)
    tracker.write(event(100, kl=1.0))
    tracker.write(event(200, kl=2.0))
    tracker.close()
    assert capsys.readouterr().err == (
        "warning: trackio: ConnectionError: no such host (try again); the run goes on, untracked "
        "from here\n"
    )
    assert trackio.CALLS[-1] == failing
    assert trackio.CALLS.count(failing) == 1


def test_a_stop_is_not_taken_for_an_outage(stand_in, run_dir, monkeypatch):
    trackio = stand_in("trackio")
    tracker = TrackioConfig().open(run_dir)
    monkeypatch.setattr(trackio, "log", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        tracker.write(event(100, kl=1.0))


@pytest.mark.parametrize("config", [TrackioConfig(), WandbConfig()])
def test_a_library_that_is_not_there_is_one_line(config, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, config.kind, raising=False)
    (tmp_path / "wandb").mkdir()  # what wandb leaves behind where it ran
    importlib.invalidate_caches()
    with pytest.raises(ConfigError) as refused:
        config.require()
    problem = f"logging.loggers: {config.kind} is not installed: "
    assert str(refused.value) == problem + f"pip install 'nppac-agents[{config.kind}]'"
    monkeypatch.setattr(sys, "path", [str(tracking_stand_ins.STAND_INS)])
    config.require()
