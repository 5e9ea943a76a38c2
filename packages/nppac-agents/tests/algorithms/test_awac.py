import pytest
import torch
from nppac_agents.algorithms.awac import AWACConfig

ADVANTAGES = torch.tensor([-1.0, 0.25, 0.9])


def test_weights_by_hand():
    sample = AWACConfig(advantage_temperature=0.5, largest_advantage=0.5).weigh(ADVANTAGES)
    torch.testing.assert_close(sample, torch.tensor([-2.0, 0.5, 1.0]).exp())
    softmax = AWACConfig(
        weights="softmax", advantage_temperature=0.5, largest_advantage=None
    ).weigh(ADVANTAGES)
    unnormalised = torch.tensor([-2.0, 0.5, 1.8]).exp()
    torch.testing.assert_close(softmax, 3 * unnormalised / unnormalised.sum())


def test_softmax_weights_do_not_see_a_constant():
    method = AWACConfig(weights="softmax", largest_advantage=None)
    torch.testing.assert_close(method.weigh(ADVANTAGES), method.weigh(ADVANTAGES + 7.0))


def gradient(agent, loss):
    return torch.cat(
        [g.flatten() for g in torch.autograd.grad(loss, list(agent.policy.network.parameters()))]
    )


@pytest.mark.parametrize("weights", ["sample", "softmax"])
def test_at_a_high_temperature_it_clones_the_replay(
    build, random_batch, randomise, double, weights
):
    agent = double(randomise(build("awac", weights=weights, advantage_temperature=1e12)))
    batch = double(random_batch())
    got = gradient(agent, agent.method.actor_loss(agent, batch).loss)
    policy = agent.policy_network(batch.states, None, None)
    cloning = gradient(agent, -policy.log_prob(batch.actions).mean())
    torch.testing.assert_close(got, cloning)


def test_at_a_low_temperature_it_clones_the_best_sample(build, random_batch, randomise, double):
    settings = {"advantage_temperature": 1e-6, "largest_advantage": None}
    agent = double(randomise(build("awac", weights="softmax", **settings)))
    batch = double(random_batch())
    policy = agent.policy_network(batch.states, None, None)
    advantages = agent.value(batch.states, batch.actions) - agent.value(batch.states, policy.mode())
    best = advantages.argmax()
    got = gradient(agent, agent.method.actor_loss(agent, batch).loss)
    policy = agent.policy_network(batch.states[best : best + 1], None, None)
    cloning = gradient(agent, -policy.log_prob(batch.actions[best : best + 1]).mean())
    torch.testing.assert_close(got, cloning)


@pytest.mark.parametrize("policy_value", ["mode", "sample"])
def test_losses_by_hand_on_two_samples(
    build, random_batch, randomise, double, critic_target, policy_value
):
    settings = {"gamma": 0.9, "policy_value": policy_value, "largest_advantage": None}
    agent = double(randomise(build("awac", **settings)))
    batch = double(random_batch(2)._replace(terminated=torch.tensor([0.0, 1.0])))
    noise = agent.noise.get_state()
    mean = agent.policy.network.body(batch.next_states).tanh()
    std = (-6 + 6 * agent.policy.network.spread.sigmoid()).exp()
    drawn = mean + std * torch.randn(2, 2, generator=agent.noise, dtype=torch.float64)
    value = agent.target_critic(batch.next_states, drawn).min(0).values
    target = batch.rewards + 0.9 * torch.tensor([1.0, 0.0]) * value
    mean = agent.policy.network.body(batch.states).tanh()
    own = mean
    if policy_value == "sample":
        own = mean + std * torch.randn(2, 2, generator=agent.noise, dtype=torch.float64)
    q = agent.critic(batch.states, batch.actions).min(0).values
    v = agent.critic(batch.states, own).min(0).values
    log_prob = torch.distributions.Normal(mean, std).log_prob(batch.actions).sum(-1)
    loss = -(((q - v) / 0.3).exp().detach() * log_prob).mean()
    agent.noise.set_state(noise)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())
    got = agent.method.actor_loss(agent, batch).loss
    torch.testing.assert_close(got, loss)
    torch.testing.assert_close(gradient(agent, got), gradient(agent, loss))


def test_clamped_critics_never_exceed_their_bound(build, random_batch, randomise):
    agent = randomise(build("awac", critic_upper_bound=-0.5))
    batch = random_batch()
    for _ in range(5):
        agent.step(batch)
    free = randomise(build("awac"))
    assert free.critic(batch.states, batch.actions).max() > -0.5
    for critic in (agent.critic, agent.target_critic):
        assert critic(batch.states, batch.actions).max() <= -0.5


@pytest.mark.medium
def test_critics_that_start_above_their_bound_come_down(build, random_batch):
    """Fresh critics are all but constant; with rewards of -1 and 0 none may stay at the bound."""
    agent = build("awac", critic_upper_bound=0.0)
    with torch.no_grad():
        agent.critic.biases[-1].fill_(0.1)
    batch = random_batch()
    batch = batch._replace(rewards=-torch.ones_like(batch.rewards))
    assert (agent.critic(batch.states, batch.actions) == 0.0).all()
    for _ in range(200):
        agent.step(batch)
    assert (agent.critic(batch.states, batch.actions) < -0.03).all()


def test_offline_comes_before_online_and_rollouts_before_that(build):
    names = [phase.name for phase in build("awac", offline_updates=5).phases()]
    assert names == ["offline", "online"]
    phases = build("awac", offline_updates=5, rollout_steps=40, cloning_updates=7).phases()
    assert [phase.name for phase in phases] == ["pretrain", "rollouts", "offline", "online"]
    assert (phases[0].updates, phases[1].env_steps, phases[2].updates) == (7, 40, 5)


def test_the_starting_std_is_that_of_the_source(build, demonstrations):
    states = torch.from_numpy(demonstrations.states[:3])
    policy = build("awac").policy_network(states, None, None)
    torch.testing.assert_close(policy.std, torch.full((3, 2), -3.0).exp())
