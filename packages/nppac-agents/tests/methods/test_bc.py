import numpy as np
import pytest
import torch
from nppac_envs import Demonstrations


@pytest.fixture(scope="module")
def linear():
    """Demonstrations a = s W + b + noise of standard deviation 0.05."""
    rng = np.random.default_rng(0)
    states = rng.normal(0, 1, (600, 4)).astype(np.float32)
    matrix, offset = rng.normal(0, 0.1, (4, 2)), np.array([0.1, -0.2])
    actions = states @ matrix + offset + rng.normal(0, 0.05, (600, 2))
    return Demonstrations(states, actions.clip(-1, 1), states[:3], np.full(3, 200))


@pytest.mark.medium
def test_on_linear_gaussian_data_it_finds_least_squares_and_the_noise(spaces, linear, generator):
    from nppac_agents.methods.bc import BC

    config = BC(policy_hidden=(32,), policy_learning_rate=5e-3, policy_weight_decay=0.0)
    agent = config.build(spaces, None, linear, generator=generator)
    replay = agent.make_replay(1, 1, generator)
    for _ in range(600):
        agent.learn(agent.phases[-1], replay)
    inputs = np.concatenate([linear.states, np.ones((600, 1))], axis=1)
    solution = np.linalg.lstsq(inputs, linear.actions, rcond=None)[0]
    policy = agent.parts.policy(torch.from_numpy(linear.states))
    error = (policy.mean.detach().numpy() - inputs @ solution).std()
    assert error < 0.02
    assert policy.std.mean().item() == pytest.approx(0.05, rel=0.15)


def test_the_loss_is_the_negative_log_likelihood(build, random_batch, randomise, doubled):
    agent = randomise(build("bc")).double()
    batch = doubled(random_batch(2))
    network = agent.parts.policy.net
    head, log_std = network.body(network.standardiser(batch.states)).chunk(2, -1)
    normal = torch.distributions.Normal(head.tanh(), log_std.exp())
    expected = -normal.log_prob(batch.actions).sum(-1).mean()
    torch.testing.assert_close(agent.step(batch)["actor_loss"], expected.detach())


def test_there_is_nothing_but_an_offline_phase(build):
    (phase,) = build("bc", updates=7).phases
    assert (phase.name, phase.length) == ("offline", 7)
