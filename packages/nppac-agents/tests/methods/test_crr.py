import pytest
import torch
from nppac_agents.methods.crr import CRR

ADVANTAGES = torch.tensor([-1.0, 0.0, 0.25, 9.0], dtype=torch.float64)


def test_weights_by_hand():
    exponential = CRR(advantage_temperature=0.5).weigh(ADVANTAGES)
    expected = torch.tensor([-2.0, 0.0, 0.5, 9.0], dtype=torch.float64).exp()
    expected[3] = 20.0
    torch.testing.assert_close(exponential, expected)
    binary = CRR(weights="binary").weigh(ADVANTAGES)
    torch.testing.assert_close(binary, torch.tensor([0.0, 0.0, 1.0, 1.0]).double())


@pytest.mark.parametrize("weights", ["exponential", "binary"])
@pytest.mark.parametrize("baseline", ["mean", "max"])
def test_losses_by_hand_on_two_samples(
    build, random_batch, randomise, doubled, ending, critic_target, actor_loss, policy_gradient,
    weights, baseline,
):  # fmt: skip
    settings = {"gamma": 0.9, "advantage_temperature": 0.7, "policy_samples": 3, "n_critics": 2}
    agent = build("crr", weights=weights, baseline=baseline, **settings)
    agent = randomise(agent).double()
    batch = ending(agent, doubled(random_batch(2)), terminated=[1.0, 0.0])
    agent.parts.policy.slow.body.layers[-1].bias.data.add_(0.3)
    before = agent.noise.get_state()

    def normal(*shape):
        return torch.randn(*shape, generator=agent.noise, dtype=torch.float64)

    after = agent.parts.policy.slow(batch.next_states)
    drawn = after.mean + after.std * normal(2, 2)
    value = agent.parts.critic.slow(batch.next_states, drawn).min(0).values
    target = batch.rewards + 0.9 * torch.tensor([0.0, 1.0]) * value
    policy = agent.parts.policy(batch.states)
    own = policy.mean + policy.std * normal(3, 2, 2)
    values = [agent.parts.critic(batch.states, actions).min(0).values for actions in own]
    v = sum(values) / 3 if baseline == "mean" else torch.stack(values).max(0).values
    advantage = (agent.parts.critic(batch.states, batch.actions).min(0).values - v).detach()
    f = (advantage / 0.7).exp() if weights == "exponential" else (advantage > 0).double()
    log_prob = torch.distributions.Normal(policy.mean, policy.std).log_prob(batch.actions)
    loss = -(f * log_prob.sum(1)).mean()
    agent.noise.set_state(before)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())
    got = actor_loss(agent, batch)
    torch.testing.assert_close(got, loss)
    torch.testing.assert_close(policy_gradient(agent, got), policy_gradient(agent, loss))


def test_at_a_high_temperature_it_clones_the_replay(
    build, random_batch, randomise, doubled, actor_loss, policy_gradient
):
    agent = randomise(build("crr", advantage_temperature=1e12)).double()
    batch = doubled(random_batch())
    got = policy_gradient(agent, actor_loss(agent, batch))
    policy = agent.parts.policy(batch.states)
    cloning = policy_gradient(agent, -policy.log_prob(batch.actions).mean())
    torch.testing.assert_close(got, cloning)


@pytest.mark.parametrize(("weights", "weight"), [("exponential", 1.0), ("binary", 0.0)])
def test_where_all_actions_are_worth_the_same_none_has_an_advantage(
    build, random_batch, randomise, weights, weight
):
    agent = randomise(build("crr", weights=weights))
    agent.parts.critic.net.weights[-1].data.zero_()
    losses = agent.method.actor_step(agent, random_batch())
    assert losses["advantage"] == 0.0
    assert losses["mean_weight"] == weight


def test_the_slow_copies_are_those_of_the_last_copying(build, random_batch):
    agent = build("crr", copy_every=3)
    parts = (agent.parts.policy, agent.parts.critic)
    copied = [[p.clone() for p in part.slow.parameters()] for part in parts]
    for update in range(6):
        agent.step(random_batch(seed=update))
        if update % 3 == 2:
            copied = [[p.clone() for p in part.net.parameters()] for part in parts]
        for part, expected in zip(parts, copied, strict=True):
            assert all(map(torch.equal, part.slow.parameters(), expected))
