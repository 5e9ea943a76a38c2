from dataclasses import replace

import pytest
import torch
from nppac_agents.methods.awac import AWAC

ADVANTAGES = torch.tensor([-1.0, 0.25, 0.9])


def test_weights_by_hand():
    sample = AWAC(advantage_temperature=0.5, largest_advantage=0.5).weigh(ADVANTAGES)
    torch.testing.assert_close(sample, torch.tensor([-2.0, 0.5, 1.0]).exp())
    softmax = AWAC(weights="softmax", advantage_temperature=0.5, largest_advantage=None).weigh(
        ADVANTAGES
    )
    unnormalised = torch.tensor([-2.0, 0.5, 1.8]).exp()
    torch.testing.assert_close(softmax, 3 * unnormalised / unnormalised.sum())


def test_softmax_weights_do_not_see_a_constant():
    method = AWAC(weights="softmax", largest_advantage=None)
    torch.testing.assert_close(method.weigh(ADVANTAGES), method.weigh(ADVANTAGES + 7.0))


@pytest.mark.parametrize("weights", ["sample", "softmax"])
def test_at_a_high_temperature_it_clones_the_replay(
    build, random_batch, randomise, doubled, actor_loss, policy_gradient, weights
):
    agent = randomise(build("awac", weights=weights, advantage_temperature=1e12)).double()
    batch = doubled(random_batch())
    got = policy_gradient(agent, actor_loss(agent, batch))
    policy = agent.parts.policy(batch.states)
    cloning = policy_gradient(agent, -policy.log_prob(batch.actions).mean())
    torch.testing.assert_close(got, cloning)


def test_at_a_low_temperature_it_clones_the_best_sample(
    build, random_batch, randomise, doubled, actor_loss, policy_gradient
):
    agent = randomise(
        build("awac", weights="softmax", advantage_temperature=1e-6, largest_advantage=None)
    ).double()
    batch = doubled(random_batch())
    policy = agent.parts.policy(batch.states)
    critic = agent.parts.critic
    taken = critic(batch.states, batch.actions).amin(0)
    best = (taken - critic(batch.states, policy.mode()).amin(0)).argmax()
    got = policy_gradient(agent, actor_loss(agent, batch))
    policy = agent.parts.policy(batch.states[best : best + 1])
    cloning = policy_gradient(agent, -policy.log_prob(batch.actions[best : best + 1]).mean())
    torch.testing.assert_close(got, cloning)


@pytest.mark.parametrize("policy_value", ["mode", "sample"])
def test_losses_by_hand_on_two_samples(
    build,
    random_batch,
    randomise,
    doubled,
    ending,
    critic_target,
    actor_loss,
    policy_gradient,
    policy_value,
):
    settings = {"gamma": 0.9, "policy_value": policy_value, "largest_advantage": None}
    agent = randomise(build("awac", **settings)).double()
    batch = ending(agent, doubled(random_batch(2)), terminated=[0.0, 1.0])
    noise = agent.noise.get_state()
    mean = agent.parts.policy.net.body(batch.next_states).tanh()
    std = (-6 + 6 * agent.parts.policy.net.spread.sigmoid()).exp()
    drawn = mean + std * torch.randn(2, 2, generator=agent.noise, dtype=torch.float64)
    value = agent.parts.critic.slow(batch.next_states, drawn).min(0).values
    target = batch.rewards + 0.9 * torch.tensor([1.0, 0.0]).double() * value
    mean = agent.parts.policy.net.body(batch.states).tanh()
    own = mean
    if policy_value == "sample":
        own = mean + std * torch.randn(2, 2, generator=agent.noise, dtype=torch.float64)
    q = agent.parts.critic(batch.states, batch.actions).min(0).values
    v = agent.parts.critic(batch.states, own).min(0).values
    log_prob = torch.distributions.Normal(mean, std).log_prob(batch.actions).sum(-1)
    loss = -(((q - v) / 0.3).exp().detach() * log_prob).mean()
    agent.noise.set_state(noise)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())
    got = actor_loss(agent, batch)
    torch.testing.assert_close(got, loss)
    torch.testing.assert_close(policy_gradient(agent, got), policy_gradient(agent, loss))


def test_clamped_critics_never_exceed_their_bound(build, random_batch, randomise):
    agent = randomise(build("awac", critic_upper_bound=-0.5))
    batch = random_batch()
    for _ in range(5):
        agent.step(batch)
    free = randomise(build("awac"))
    assert free.parts.critic(batch.states, batch.actions).max() > -0.5
    for critic in (agent.parts.critic, agent.parts.critic.slow):
        assert critic(batch.states, batch.actions).max() <= -0.5


@pytest.mark.medium
def test_critics_that_start_above_their_bound_come_down(build, random_batch):
    """Fresh critics are all but constant; with rewards of -1 and 0 none may stay at the bound."""
    agent = build("awac", critic_upper_bound=0.0)
    with torch.no_grad():
        agent.parts.critic.net.biases[-1].fill_(0.1)
    batch = random_batch()
    batch = replace(batch, rewards=-torch.ones_like(batch.rewards))
    assert (agent.parts.critic(batch.states, batch.actions) == 0.0).all()
    for _ in range(200):
        agent.step(batch)
    assert (agent.parts.critic(batch.states, batch.actions) < -0.03).all()


def test_offline_comes_before_online_and_rollouts_before_that(build):
    names = [phase.name for phase in build("awac", offline_updates=5).phases]
    assert names == ["offline", "online"]
    phases = build("awac", offline_updates=5, rollout_steps=40, cloning_updates=7).phases
    assert [phase.name for phase in phases] == ["pretrain", "rollouts", "offline", "online"]
    assert [phase.length for phase in phases] == [7, 40, 5, None]


def test_the_starting_std_is_that_of_the_source(build, demonstrations):
    states = torch.from_numpy(demonstrations.states[:3])
    policy = build("awac").parts.policy(states)
    torch.testing.assert_close(policy.std, torch.full((3, 2), -3.0).exp())
