import pytest
import torch
from nppac_agents.methods.abm import ABM

QUICK = {"samples": 3, "penalty_epsilon": None}


def ready(build, randomise, **settings):
    agent = randomise(build("abm", **(QUICK | settings))).double()
    for dual in agent.parts[2:6]:
        dual.net.raw.data.abs_().add_(0.5)
    return agent


def advantages(agent, states, actions):
    """Over one action of the policy, drawn as the method draws it."""
    policy = agent.parts.policy(states)
    noise = torch.randn(policy.mean.shape, generator=agent.noise, dtype=torch.float64)
    own = agent.parts.critic(states, policy.mean + policy.std * noise).min(0).values
    return (agent.parts.critic(states, actions).min(0).values - own).detach()


@pytest.mark.parametrize("weights", ["indicator", "exp", "one"])
@pytest.mark.parametrize("n_critics", [1, 2])
def test_the_priors_loss_by_hand_on_eight_samples(
    build, random_batch, randomise, doubled, weights, n_critics
):
    settings = {"advantage_weights": weights, "n_critics": n_critics}
    agent = ready(build, randomise, advantage_temperature=0.5, **settings)
    batch = doubled(random_batch(8))
    before = agent.noise.get_state()
    a = advantages(agent, batch.states, batch.actions)
    assert {(x > 0).item() for x in a} == {True, False}, "both sides of the indicator count"
    exponential = 8 * (a / 0.5).exp() / (a / 0.5).exp().sum()
    f = {"indicator": (a > 0).double(), "exp": exponential, "one": torch.ones(8).double()}[weights]
    prior = agent.parts.behaviour(batch.states)
    log_prob = torch.distributions.Normal(prior.mean, prior.std).log_prob(batch.actions).sum(-1)
    agent.noise.set_state(before)
    got = agent.method.behaviour_step(agent, batch)["behaviour_loss"]
    torch.testing.assert_close(got, -(f * log_prob).mean())


def test_awacs_policy_loss_by_hand_on_two_samples(
    build, random_batch, randomise, doubled, actor_loss
):
    agent = ready(build, randomise, policy_step="awac", advantage_temperature=0.5)
    batch = doubled(random_batch(2))
    before = agent.noise.get_state()
    prior, policy = agent.parts.behaviour(batch.states), agent.parts.policy(batch.states)
    noise = torch.randn(2, 2, generator=agent.noise, dtype=torch.float64)
    actions = (prior.mean + prior.std * noise).detach()
    scaled = advantages(agent, batch.states, actions) / 0.5
    weights = 2 * scaled.exp() / scaled.exp().sum()
    log_prob = torch.distributions.Normal(policy.mean, policy.std).log_prob(actions).sum(-1)
    agent.noise.set_state(before)
    torch.testing.assert_close(actor_loss(agent, batch), -(weights * log_prob).mean())


def test_at_a_high_temperature_the_policy_regresses_onto_the_prior_whatever_the_critics(
    build, random_batch, randomise, doubled, actor_loss
):
    """The gradient is then that of KL(prior || policy), by one of the prior's actions."""
    agent = ready(build, randomise, policy_step="awac", advantage_temperature=1e9)
    batch = doubled(random_batch(64))
    before = agent.noise.get_state()
    prior, policy = agent.parts.behaviour(batch.states), agent.parts.policy(batch.states)
    noise = torch.randn(64, 2, generator=agent.noise, dtype=torch.float64)
    log_prob = policy.log_prob((prior.mean + prior.std * noise).detach())
    agent.noise.set_state(before)
    torch.testing.assert_close(actor_loss(agent, batch), -log_prob.mean())


def test_mpos_step_weighs_actions_of_the_prior(build, random_batch, randomise, monkeypatch):
    agent = randomise(build("abm", **QUICK))
    batch, seen = random_batch(5), []
    monkeypatch.setattr(type(agent.method), "regress", lambda *given: (seen.append(given), {})[1])
    before = agent.noise.get_state()
    agent.method.actor_step(agent, batch)
    agent.noise.set_state(before)
    prior = agent.parts.behaviour(batch.states)
    noise = torch.randn(3, 5, 2, generator=agent.noise)
    _, _, _, actions, weights = seen[0]
    torch.testing.assert_close(actions, (prior.mean + prior.std * noise).detach())
    torch.testing.assert_close(weights.sum(0), torch.ones(5))


def test_without_an_advantage_the_indicator_leaves_the_prior_as_it_is(
    build, random_batch, monkeypatch
):
    agent = build("abm", **QUICK)
    monkeypatch.setattr(
        type(agent.method), "advantages", lambda self, agent, states, actions: -torch.ones(32)
    )
    before = [weight.clone() for weight in agent.parts.behaviour.net.parameters()]
    losses = agent.method.behaviour_step(agent, random_batch())
    assert losses["behaviour_grad_norm"] == losses["kept"] == 0.0
    assert all(map(torch.equal, before, agent.parts.behaviour.net.parameters()))


def test_with_weights_of_one_the_prior_is_a_clone_whatever_the_critics(
    build, random_batch, randomise
):
    def prior(weights, factor):
        agent = randomise(build("abm", advantage_weights=weights, **QUICK))
        agent.parts.critic.net.weights[0].data.mul_(factor)
        agent.step(random_batch())
        return torch.cat([p.flatten() for p in agent.parts.behaviour.net.parameters()])

    assert torch.equal(prior("one", 1.0), prior("one", -5.0))
    assert not torch.equal(prior("indicator", 1.0), prior("indicator", -5.0))


def test_offline_comes_before_online():
    assert [phase.name for phase in ABM(offline_updates=5).phases(None)] == ["offline", "online"]
