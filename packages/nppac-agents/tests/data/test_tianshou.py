"""A plain Tianshou script: its collector, its trainer, our agent and replay."""

import numpy as np
import pytest
import torch
from nppac_agents.methods.nppac import NPPAC
from nppac_agents.testing import tianshou_trainer
from tianshou.data import Batch
from tianshou.utils.torch_utils import policy_within_training_step

pytestmark = pytest.mark.medium

SETTINGS = {"policy_hidden": (16,), "critic_hidden": (16,), "batch_size": 32}


@pytest.fixture(scope="module")
def trained(point_config, spaces, prior, demonstrations):
    generator = torch.Generator().manual_seed(0)
    agent = NPPAC(**SETTINGS).build(spaces, prior, demonstrations, generator=generator)
    replay = agent.make_replay(90, 2, generator)
    agent.run_training(
        tianshou_trainer(agent, replay, point_config.make, steps=10, epoch_steps=100, epochs=2)
    )
    return agent, replay


def test_the_buffer_has_wrapped_around_and_the_agent_has_learned(trained):
    agent, replay = trained
    assert len(replay) == 90
    assert agent.updates == 100
    assert agent.observed.evaluations < 2 * 200


def test_cached_priors_are_fresh_ones_for_every_row(trained, prior):
    _, replay = trained
    batch = replay.transitions(torch.from_numpy(replay.sample_indices(0)))
    assert batch.truncated.sum() > 2, "rows at episode ends are among them"
    for mean, std, states in (
        (batch.prior_mean, batch.prior_std, batch.states),
        (batch.next_prior_mean, batch.next_prior_std, batch.next_states),
    ):
        expected_mean, expected_std = prior.moments(states)
        torch.testing.assert_close(mean, expected_mean, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(std, expected_std, rtol=1e-4, atol=1e-5)


def test_tianshous_entry_samples_within_a_training_step_and_not_in_evaluation(
    trained, demonstrations
):
    policy, batch = trained[0].policy, Batch(obs=demonstrations.states[:7], info={})
    expected = policy.act(batch.obs, deterministic=True)
    evaluated, again = (policy(batch).act for _ in range(2))
    np.testing.assert_array_equal(evaluated, expected)
    np.testing.assert_array_equal(again, expected)
    with policy_within_training_step(policy):
        sampled = policy(batch).act
    assert (sampled != expected).all()


def test_no_transition_crosses_a_reset(trained):
    _, replay = trained
    batch = replay.transitions(torch.from_numpy(replay.sample_indices(0)))
    moved = (batch.next_states - batch.states)[:, :2].norm(dim=1)
    assert moved.max() < 0.2 * np.sqrt(2) + 0.1


def test_tianshous_own_checkpoint_holds_the_optimizers(trained):
    agent, _ = trained
    stored = agent.state_dict()
    assert len(stored["_optimizers"]) == 3
    assert [bool(o["state"]) for o in stored["_optimizers"]] == [True, True, True], (
        "alpha follows the budget"
    )


def test_the_prior_is_out_of_reach_of_optimizers_and_state(trained, prior):
    agent, _ = trained
    assert not any("prior" in name or "observed" in name for name, _ in agent.named_parameters())
    names = agent.state()
    assert not any("observed" in name for name in names)
