"""A run with a tracking service: it is told what the run writes, over a kill and a resume too."""

import importlib.util
import json

import pytest
import tracking_stand_ins
from nppac_agents.loggers.services import TrackioConfig, WandbConfig
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running import training as training_module
from nppac_agents.running.run_directory import RunDirectory
from nppac_priors.errors import ConfigError


@pytest.fixture
def tracked(point_experiment):
    loggers = (TrackioConfig(), WandbConfig())
    logging = point_experiment.logging.model_copy(update={"loggers": loggers})
    return point_experiment.model_copy(update={"logging": logging})


def series(event):
    return "/".join(filter(None, (event["phase"], event.get("policy"))))


@pytest.mark.medium
def test_a_killed_and_resumed_run_is_one_tracked_run(tracked, run_point, tmp_path, monkeypatch):
    trackio = tracking_stand_ins.install(monkeypatch, "trackio")
    wandb = tracking_stand_ins.install(monkeypatch, "wandb")
    RunDirectory(tmp_path / "killed").write_config(tracked)
    step = training_module.Training._interact

    class Killed(BaseException):
        pass

    def killed_step(self, phase):
        if self.recorder.env_steps >= 117:
            raise Killed
        step(self, phase)

    with monkeypatch.context() as patch:
        patch.setattr(training_module.Training, "_interact", killed_step)
        with pytest.raises(Killed):
            run_point(tracked, "killed")
    before = len(read_metrics(tmp_path / "killed" / "metrics.jsonl"))
    _, run_dir = run_point(tracked, "killed", resume=True)
    events = read_metrics(run_dir.metrics)
    assert before < len(events)
    said = [(series(event), event["env_steps"], event["updates"]) for event in events]
    (name,) = trackio.RUNS
    run_id = json.loads(run_dir.environment.read_text())["run_id"]
    assert name == ("nppac", f"killed-{run_id[:8]}")
    for rows in (trackio.RUNS[name], [row for run in wandb.RUNS for row in run.rows]):
        told = [
            ({key.rpartition("/")[0] for key in row} - {""}, row["env_steps"], row["updates"])
            for _, row in rows
        ]
        assert told == [({name}, *position) for name, *position in said]
    assert {run.options["id"] for run in wandb.RUNS} == {run_id}
    assert len(wandb.RUNS) == 2
    assert trackio.CONFIG["agent"]["kind"] == "nppac"


@pytest.mark.medium
def test_a_run_goes_on_without_a_service_that_fails(tracked, run_point, tmp_path, monkeypatch):
    trackio = tracking_stand_ins.install(monkeypatch, "trackio")
    wandb = tracking_stand_ins.install(monkeypatch, "wandb")
    trackio.fails_at = "log"
    RunDirectory(tmp_path / "run").write_config(tracked)
    _, run_dir = run_point(tracked)
    assert (run_dir.path / "summary.json").exists()
    assert len([row for run in wandb.RUNS for row in run.rows]) == len(
        read_metrics(run_dir.metrics)
    )


@pytest.mark.parametrize("options", [{}, {"dry_run": True}])
def test_a_library_that_is_not_there_is_told_before_anything_is_fitted(
    tracked, run_point, tmp_path, monkeypatch, options
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *of: None if name == "trackio" else find(name, *of)
    )
    with pytest.raises(ConfigError, match="trackio is not installed: pip install 'nppac-agents"):
        run_point(tracked, **options)
    assert not (tmp_path / "run" / "environment.json").exists()
