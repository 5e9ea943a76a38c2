import io

import gymnasium
import numpy as np
import pytest
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.play import record
from nppac_agents.running.run_policy import load_agent
from nppac_envs import NpzConfig
from nppac_envs.errors import ConfigError as EnvsConfigError
from nppac_priors import load_prior
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium


def test_the_recorded_episodes_succeed_and_are_the_environments(finished, tmp_path, point_config):
    path = tmp_path / "new.npz"
    record(finished, 3, 40, PlainConsole(io.StringIO()), path)
    recorded = NpzConfig(path=path).load()
    assert recorded.n_episodes == 3
    ends = np.cumsum(recorded.episode_lengths) - 1
    assert recorded.successes[ends].all()
    env = point_config.make()
    state, _ = env.reset(seed=40)
    for step in range(recorded.episode_lengths[0]):
        np.testing.assert_array_equal(state, recorded.states[step])
        state, *_ = env.step(recorded.actions[step])
    np.testing.assert_array_equal(state, recorded.final_states[0])


def test_actions_are_sampled_and_the_same_command_records_the_same(finished, tmp_path):
    files = [tmp_path / name for name in ("one.npz", "two.npz")]
    for path in files:
        record(finished, 2, 40, PlainConsole(io.StringIO()), path)
    one, two = (NpzConfig(path=path).load() for path in files)
    assert one.hash == two.hash
    modes = load_agent(finished).act(one.states, deterministic=True)
    assert np.abs(one.actions - np.clip(modes, -1, 1)).mean() > 0.01


def test_deterministic_actions_are_the_policys_means(finished, tmp_path):
    path = tmp_path / "means.npz"
    record(finished, 1, 40, PlainConsole(io.StringIO()), path, policy="last", deterministic=True)
    recorded = NpzConfig(path=path).load()
    modes = load_agent(finished, "last").act(recorded.states, deterministic=True)
    np.testing.assert_allclose(recorded.actions, np.clip(modes, -1, 1), atol=1e-5)


def test_all_episodes_are_kept_where_that_is_asked_for(
    finished, tmp_path, monkeypatch, point_config
):
    """What `nppac-prior report --visited` takes: where a mean goes, success or not."""
    make = type(point_config).make
    monkeypatch.setattr(
        type(point_config), "make", lambda self, **settings: NeverSucceeds(make(self, **settings))
    )
    record(finished, 2, 40, PlainConsole(io.StringIO()), tmp_path / "went.npz", keep_all=True)
    assert NpzConfig(path=tmp_path / "went.npz").load().n_episodes == 2


@pytest.mark.slow
def test_an_agent_that_never_succeeds_is_refused(finished, tmp_path, monkeypatch, point_config):
    make = type(point_config).make

    def never(self, **settings):
        return NeverSucceeds(make(self, **settings))

    monkeypatch.setattr(type(point_config), "make", never)
    with pytest.raises(EnvsConfigError, match="only 0 of 10 episodes succeeded"):
        record(finished, 1, 40, PlainConsole(io.StringIO()), tmp_path / "none.npz")
    assert not (tmp_path / "none.npz").exists()


@pytest.mark.slow
def test_the_prior_is_rolled_out_in_place_of_the_agent(finished, tmp_path):
    record(finished, 3, 40, PlainConsole(io.StringIO()), tmp_path / "prior.npz", policy="prior")
    recorded = NpzConfig(path=tmp_path / "prior.npz").load()
    mean, std = load_prior(finished.prior).moments(recorded.states)
    inside = np.abs(recorded.actions) < 1
    whitened = ((recorded.actions - mean.numpy()) / std.numpy())[inside]
    assert abs(whitened.mean()) < 0.3
    assert 0.7 < whitened.std() < 1.3


def test_a_run_without_a_prior_cannot_roll_one_out(finished, tmp_path):
    finished.prior.unlink()
    with pytest.raises(ConfigError, match="holds no Gaussian prior; take the best"):
        record(finished, 1, 40, PlainConsole(io.StringIO()), tmp_path / "none.npz", policy="prior")


class NeverSucceeds(gymnasium.Wrapper):
    """No step is a success."""

    def step(self, action):
        *step, info = super().step(action)
        return *step, info | {"success": False}
