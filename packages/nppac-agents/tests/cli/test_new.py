"""`nppac-run new` writes an experiment that validates and fits its data."""

from __future__ import annotations

import json

import numpy as np
import pytest
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.experiment.starter import MANY_STEPS, starter
from nppac_envs import Demonstrations

pytestmark = pytest.mark.medium


@pytest.fixture
def mine(tmp_path):
    """Demonstrations for Pendulum: 3 state dimensions, 1 action dimension."""
    rng = np.random.default_rng(0)
    arrays = rng.uniform(-1, 1, (40, 3)), rng.uniform(-1, 1, (40, 1)), rng.uniform(-1, 1, (2, 3))
    data = Demonstrations(*arrays, np.array([15, 25]))
    data.save_npz(tmp_path / "mine.npz")
    return data


def test_an_environment_by_its_id_gets_a_prior_and_an_agent_that_starts_as_it(
    nppac_run, mine, tmp_path
):
    result = nppac_run("new", "mine.npz", "--env", "Pendulum-v1", "--set", "horizon=50")
    assert (result.code, result.err) == (0, [])
    assert "next: nppac-run experiment.json --dry-run" in result.out
    config = load_experiment(tmp_path / "experiment.json")
    assert config.env.model_dump(exclude_defaults=True) == {"id": "Pendulum-v1", "horizon": 50}
    assert (config.demonstrations.hash, config.prior.kind) == (mine.hash, "exact-gp")
    assert config.prior.subset_size == 40
    assert (config.agent.kind, config.agent.start) == ("nppac", "residual")
    assert "40 steps" in config.comment[0]
    assert all(line in result.out for line in config.comment)


@pytest.mark.parametrize(
    ("data", "env", "horizon", "ratio"),
    [("door", "door", 200, 0.25), ("mine.npz", "Pendulum-v1", 200, 0.25)],
)
def test_a_horizon_that_nobody_named_is_the_environments_own(
    nppac_run, mine, tmp_path, data, env, horizon, ratio
):
    result = nppac_run("new", data, "--env", env)
    assert (result.code, result.err) == (0, [])
    config = load_experiment(tmp_path / "experiment.json")
    assert (config.env.horizon, config.training.updates_per_step) == (horizon, ratio)


def test_without_an_environment_it_clones(nppac_run, mine, tmp_path):
    assert nppac_run("new", "mine.npz", "--output", "clone.json").code == 0
    config = load_experiment(tmp_path / "clone.json")
    assert (config.env, config.prior, config.agent.kind) == (None, None, "bc")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["mine.npz", "--env", "door"],
            "3 state and 1 action dimensions, environment 'door' has 39",
        ),
        (["mine.npz", "--env", "NoSuch-v0"], "NameNotFound"),
        (["mine.npz", "--env", "push", "--set", "horizon=0"], "env.horizon"),
        (["none.npz", "--env", "push"], "none.npz"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    nppac_run, mine, tmp_path, arguments, message
):
    result = nppac_run("new", *arguments)
    assert result.code == 2
    assert message in result.err[0]
    assert not (tmp_path / "experiment.json").exists()


def test_what_has_to_be_said_of_the_data_is_said_to_the_command_that_takes_it(nppac_run, tmp_path):
    torques = np.random.default_rng(0).uniform(-4, 4, (40, 1))
    states = np.cumsum(torques, axis=0)
    np.savez(tmp_path / "log.npz", states=states, actions=torques, episode_lengths=[20, 20])
    (line,) = nppac_run("new", "log.npz").err
    assert "--action-range LOW HIGH" in line
    assert line.endswith("(options of nppac-demos convert; name here what it writes)")


def test_a_file_that_is_there_is_kept(nppac_run, mine, tmp_path):
    (tmp_path / "experiment.json").write_text("{}")
    assert "is there already" in nppac_run("new", "mine.npz").err[0]
    assert json.loads((tmp_path / "experiment.json").read_text()) == {}


@pytest.mark.parametrize(
    ("horizon", "ratio", "first"),
    [(20, 1.0, 400), (50, 1.0, 1_000), (100, 0.5, 2_000), (200, 0.25, 4_000), (1_000, 0.25, 4_000),
     (None, 1.0, 4_000)],
)  # fmt: skip
def test_long_episodes_get_fewer_updates_a_step(mine, horizon, ratio, first):
    written = starter({"kind": "gymnasium", "horizon": horizon}, {}, mine)
    assert written["training"]["updates_per_step"] == ratio
    assert written["training"]["start_steps"] == written["agent"]["rollout_steps"] == first


def test_many_steps_get_the_sparse_process():
    steps = MANY_STEPS + 1
    states = np.zeros((steps, 2), np.float32)
    data = Demonstrations(states, states, states[:1], np.array([steps]))
    assert starter({"kind": "push"}, {}, data)["prior"]["kind"] == "sparse-gp"


def test_a_fitted_prior_is_named_as_it_is(mine):
    experiment = starter({"kind": "push"}, {}, mine, "gp.safetensors")
    assert experiment["prior"] == {"kind": "file", "path": "gp.safetensors"}


def test_a_prior_that_is_not_there_or_of_another_task_is_refused(nppac_run, mine, tmp_path, caplog):
    from nppac_priors import GaussianMLPConfig

    few = GaussianMLPConfig(hidden=(4,), steps=1)
    few.fit(mine.states, mine.actions).save(tmp_path / "mine.safetensors")
    few.fit(mine.states[:, :2], mine.actions).save(tmp_path / "other.safetensors")
    arguments = ("new", "mine.npz", "--env", "Pendulum-v1", "--prior")
    for name, problem in {
        "none.safetensors": "none.safetensors: no such file",
        "other.safetensors": "prior other.safetensors: has 2 state and 1 action dimensions, the "
        "demonstrations have 3 and 1",
    }.items():
        result = nppac_run(*arguments, name)
        assert result.code == 2
        (line,) = result.err
        assert problem in line
        assert not (tmp_path / "experiment.json").exists()
    assert nppac_run(*arguments, "mine.safetensors").code == 0
    assert not caplog.messages
    assert load_experiment(tmp_path / "experiment.json").prior.path == "mine.safetensors"
    few.fit(mine.states[:9], mine.actions[:9]).save(tmp_path / "part.safetensors")
    assert nppac_run(*arguments, "part.safetensors", "--output", "other.json").code == 0
    assert "fitted to other data" in caplog.messages[0]
