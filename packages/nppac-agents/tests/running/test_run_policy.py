import numpy as np
import pytest
import torch
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import load_agent, run_policy
from nppac_priors import GaussianPrior, load_prior
from nppac_priors.errors import ConfigError, PriorFileError

pytestmark = pytest.mark.medium


def stored(path):
    return Checkpoint.load(path).tensors["agent"]


def test_each_policy_is_that_of_its_checkpoint(finished):
    best = checkpoints(finished.checkpoints / "best")[-1]
    earlier, last = checkpoints(finished.checkpoints)
    for name, path in {None: best, "best": best, "last": last, earlier.stem: earlier}.items():
        agent = load_agent(finished, name)
        for key, value in stored(path).items():
            np.testing.assert_array_equal(agent.state()[key], value)
    assert run_policy(finished, earlier.name).name == earlier.stem
    assert run_policy(finished, "last").env_steps == 150


def test_without_a_best_policy_the_last_is_taken_and_the_best_is_refused(finished):
    for path in checkpoints(finished.checkpoints / "best"):
        path.unlink()
    assert run_policy(finished).name == "last"
    with pytest.raises(ConfigError, match="has no policy 'best'; it has last, phase-0-step"):
        run_policy(finished, "best")


def test_the_prior_acts_by_its_mean_or_samples_of_its_normal(finished, demonstrations):
    prior, actor = load_prior(finished.prior), run_policy(finished, "prior").actor
    assert isinstance(prior, GaussianPrior)
    states = np.repeat(demonstrations.states[:1], 4000, axis=0)
    mean, std = prior.moments(states[:1])
    np.testing.assert_array_equal(actor.act(states[:1], deterministic=True), mean)
    actor.acting.manual_seed(0)
    drawn = torch.from_numpy(actor.act(states, deterministic=False))
    assert ((drawn.mean(0) - mean[0]).abs() < 0.08 * std[0]).all()
    torch.testing.assert_close(drawn.std(0), std[0], rtol=0.08, atol=0)


def test_the_agent_of_another_prior_is_refused(finished, prior_config, demonstrations):
    other = prior_config.model_copy(update={"steps": 2})
    other.fit(demonstrations.states, demonstrations.actions).save(finished.prior)
    with pytest.raises(PriorFileError, match="is not the prior that this run has fitted"):
        load_agent(finished)


def test_a_run_without_a_checkpoint_is_refused(point_experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(RunDirectory, "config", lambda self: point_experiment)
    with pytest.raises(ConfigError, match="holds no checkpoint"):
        load_agent(RunDirectory(tmp_path / "empty"))


@pytest.fixture
def decompositions(monkeypatch):
    """Grows with every factorisation."""
    from nppac_priors.gp.exact import prior

    decompose, done = prior.decompose, []
    monkeypatch.setattr(prior, "decompose", lambda *args: done.append(args) or decompose(*args))
    return done


@pytest.mark.parametrize("name", ["last", "prior"])
def test_the_prior_is_factorised_once_for_all_policies(
    finished, demonstrations, decompositions, name
):
    first = run_policy(finished, name).act(demonstrations.states)
    assert len(decompositions) == 1
    np.testing.assert_array_equal(run_policy(finished, name).act(demonstrations.states), first)
    assert len(decompositions) == 1
    finished.prior_factors.write_bytes(finished.prior_factors.read_bytes()[:-1])
    for _ in range(2):
        np.testing.assert_array_equal(run_policy(finished, name).act(demonstrations.states), first)
    assert len(decompositions) == 2


def test_factors_of_another_prior_are_not_taken(
    finished, prior_config, demonstrations, decompositions
):
    wanted = run_policy(finished, "last").act(demonstrations.states)
    other = prior_config.model_copy(update={"steps": 2})
    other = other.fit(demonstrations.states, demonstrations.actions)
    other.save(finished.prior_factors, include_factors=True)
    before = len(decompositions)
    found = run_policy(finished, "last").act(demonstrations.states)
    np.testing.assert_array_equal(found, wanted)
    assert len(decompositions) == before + 1


def test_factors_that_cannot_be_kept_are_done_without(finished, demonstrations):
    finished.prior_factors.mkdir()
    assert run_policy(finished).act(demonstrations.states).shape == demonstrations.actions.shape
