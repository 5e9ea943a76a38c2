from dataclasses import replace

import pytest
import torch


def sac_by_hand(agent, batch, states, critic):
    """Value of the lower critic and log-density at a fresh action of a squashed policy."""
    mean, log_std = agent.parts.policy.net.body(states).chunk(2, -1)
    normal = torch.distributions.Normal(mean, log_std.clamp(-20, 2).exp())
    raw = mean + normal.scale * torch.randn(mean.shape, generator=agent.noise, dtype=mean.dtype)
    actions = raw.tanh()
    log_prob = (normal.log_prob(raw) - (1 - actions.square()).log()).sum(-1)
    return critic(states, actions).min(0).values, log_prob


def test_the_target_and_the_actor_loss_by_hand(
    build, random_batch, randomise, doubled, ending, critic_target, actor_loss
):
    agent = randomise(build("sac", alpha=0.3, gamma=0.9)).double()
    batch = ending(agent, doubled(random_batch(2)), terminated=[1.0, 0.0])
    noise = agent.noise.get_state()
    value, log_prob = sac_by_hand(agent, batch, batch.next_states, agent.parts.critic.slow)
    goes_on = torch.tensor([0.0, 1.0]).double()
    target = batch.rewards + 0.9 * goes_on * (value - 0.3 * log_prob)
    value, log_prob = sac_by_hand(agent, batch, batch.states, agent.parts.critic)
    expected = (0.3 * log_prob - value).mean()
    agent.noise.set_state(noise)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())
    noise = agent.noise.get_state()
    torch.testing.assert_close(actor_loss(agent, batch), expected)
    agent.noise.set_state(noise)
    entropy = agent.method.actor_step(agent, batch)["entropy"]
    torch.testing.assert_close(entropy, -log_prob.mean())


@pytest.mark.parametrize(("target", "direction"), [(5.0, 1), (-50.0, -1)])
def test_the_dual_raises_alpha_below_the_target_entropy_and_lowers_it_above(
    build, random_batch, target, direction
):
    agent = build("sac", target_entropy=target, alpha=0.5)
    for update in range(20):
        agent.step(random_batch(seed=update))
    assert (agent.parts.temperature.value().item() - 0.5) * direction > 0


def test_the_target_entropy_is_per_action_dimension(build, random_batch):
    """A target of 3/4 of the entropy of both dimensions is above it: alpha has to rise."""
    entropy = build("sac").step(random_batch())["entropy"].item()
    assert entropy > 0
    agent = build("sac", target_entropy=0.75 * entropy, alpha=0.5)
    agent.step(random_batch())
    assert agent.step(random_batch())["alpha"].item() > 0.5


def test_a_fixed_alpha_stays(build, random_batch):
    agent = build("sac", target_entropy=None, alpha=0.5)
    agent.step(random_batch())
    assert agent.parts.temperature.value().item() == pytest.approx(0.5, rel=1e-5)


def test_a_flat_prior_makes_nppac_sac(
    build, random_batch, randomise, doubled, actor_loss, policy_gradient
):
    """With a squashed policy and a prior N(0, 1e4) N-PPAC's actor gradient is SAC's."""
    sac = randomise(build("sac", alpha=0.2, target_entropy=None)).double()
    nppac = randomise(build("nppac", alpha=0.2, squash=True, start="fresh")).double()
    batch = doubled(random_batch(16, prior_std=1e4))
    batch = replace(batch, prior_mean=torch.zeros_like(batch.prior_mean))
    gradients = []
    for agent in (sac, nppac):
        agent.noise.manual_seed(2)
        gradients.append(policy_gradient(agent, actor_loss(agent, batch)))
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-6)
