import numpy as np
import pytest
from nppac_agents import ExperimentConfig, load_run, run_experiment
from nppac_agents.methods.bc import BC
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running.lock import LockError, RunLock
from nppac_agents.running.run_directory import RunDirectory
from nppac_envs import NpzConfig
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium


@pytest.fixture
def config(demonstrations, tmp_path, prior_config):
    """Cloning, whose config a file can hold."""
    demonstrations.save_npz(tmp_path / "point.npz")
    return ExperimentConfig.model_validate(
        {
            "demonstrations": NpzConfig(source="npz", path=tmp_path / "point.npz").model_dump(),
            "agent": BC(updates=60, policy_hidden=(8,)).model_dump(),
            "logging": {"every": 20, "tensorboard": False},
            "device": "cpu",
            "output_dir": str(tmp_path / "run"),
        }
    )


@pytest.fixture
def run(config, monkeypatch):
    monkeypatch.setattr("nppac_agents.running.run.write_report", lambda folder: folder)
    return run_experiment(config)


def test_a_run_in_python_is_read_back(run, config, demonstrations, capsys):
    again = load_run(run.path)
    assert again.config == run.config == config
    assert again.summary is not None
    assert again.prior is None
    assert again.checkpoints[-1].endswith("update-000000060")
    assert again.policy.name == "last"
    actions = again.policy.act(demonstrations.states)
    assert actions.shape == demonstrations.actions.shape
    assert np.abs(actions).max() <= 1
    assert repr(again) == (
        f"<Run {run.path}: agent 'bc', no environment, seed 0, finished at 0 steps>"
    )
    assert repr(again.policy).startswith("<RunPolicy last, at 0 steps: ")
    assert capsys.readouterr().out == ""


def test_metrics_are_arrays_by_phase_and_name(run):
    columns = run.metrics["offline"]
    events = [e for e in read_metrics(run.directory.metrics) if e["phase"] == "offline"]
    assert columns["updates"].tolist() == [20, 40, 60]
    assert columns["actor_loss"].tolist() == [event["actor_loss"] for event in events]
    assert "event" not in columns


def test_events_that_lack_a_number_have_nan(run):
    with run.directory.metrics.open("a") as file:
        file.write('{"event": "train", "phase": "offline", "updates": 80, "actor_loss": null}\n')
    columns = run.metrics["offline"]
    assert np.isnan(columns["actor_loss"]).tolist() == [False, False, False, True]
    assert np.isnan(columns["env_steps"][-1])


def test_a_folder_in_use_and_one_without_a_name_are_refused(run, config, tmp_path):
    with pytest.raises(ConfigError, match="exists; use --resume"):
        run_experiment(config)
    with pytest.raises(ConfigError, match="has a name to fill in"):
        run_experiment(config.model_copy(update={"output_dir": "runs/{name}"}))
    with pytest.raises(ConfigError, match="holds no run"):
        load_run(tmp_path / "none")


def test_a_folder_that_a_process_runs_in_is_refused_and_free_afterwards(config, monkeypatch):
    monkeypatch.setattr("nppac_agents.running.run.write_report", lambda folder: folder)
    lock = RunLock(RunDirectory(config.output_dir).lock)
    lock.path.parent.mkdir()
    lock.acquire()
    for resume in (False, True):
        with pytest.raises(LockError, match="in use by process"):
            run_experiment(config, resume=resume)
    lock.release()
    assert run_experiment(config).summary is not None
    assert not lock.path.exists()
