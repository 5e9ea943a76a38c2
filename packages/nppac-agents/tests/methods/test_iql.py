import pytest
import torch
from nppac_agents.methods.iql import IQL

RESCALED = torch.tensor([-1.0, 0.5, 2.0])


def test_the_expectile_loss_by_hand():
    loss = IQL(expectile=0.8).expectile_loss(RESCALED)
    expected = (0.2 * 1.0 + 0.8 * 0.25 + 0.8 * 4.0) / 3
    torch.testing.assert_close(loss, torch.tensor(expected))


@pytest.mark.parametrize(("share", "expectile"), [(0.3, 0.5), (0.3, 0.9), (0.6, 0.7)])
def test_the_expectile_of_zeros_and_ones_is_the_closed_form(share, expectile):
    """p tau / (p tau + (1 - p)(1 - tau)) for a share p of ones."""
    data = torch.cat([torch.ones(int(1000 * share)), torch.zeros(1000 - int(1000 * share))])
    value = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([value], max_iter=100, tolerance_grad=1e-12)

    def closure():
        optimizer.zero_grad()
        loss = IQL(expectile=expectile).expectile_loss(data.double() - value)
        loss.backward()
        return loss

    optimizer.step(closure)
    above, below = share * expectile, (1 - share) * (1 - expectile)
    assert value.item() == pytest.approx(above / (above + below), abs=1e-6)


def test_at_expectile_one_half_the_value_is_regressed_on_the_mean():
    loss = IQL(expectile=0.5).expectile_loss(RESCALED)
    torch.testing.assert_close(loss, RESCALED.square().mean() / 2)


def test_at_inverse_temperature_zero_it_clones_the_replay(
    build, random_batch, randomise, doubled, actor_loss, policy_gradient
):
    agent = randomise(build("iql", inverse_temperature=0.0)).double()
    batch = doubled(random_batch())
    got = policy_gradient(agent, actor_loss(agent, batch))
    policy = agent.parts.policy(batch.states)
    cloning = policy_gradient(agent, -policy.log_prob(batch.actions).mean())
    torch.testing.assert_close(got, cloning, rtol=1e-9, atol=1e-9)


def perceptron(net, inputs):
    """The network's output, from its weights."""
    *hidden, last = [(layer.weight, layer.bias) for layer in net.body.layers]
    for weight, bias in hidden:
        inputs = (inputs @ weight.T + bias).clamp(min=0)
    return inputs @ last[0].T + last[1]


def test_losses_by_hand_on_two_samples(
    build, random_batch, randomise, ending, doubled, critic_target, actor_loss
):
    agent = randomise(build("iql", gamma=0.9, expectile=0.7, inverse_temperature=2.0)).double()
    agent.parts.policy.net.spread.data.copy_(torch.tensor([0.3, -7.0]))
    batch = ending(agent, doubled(random_batch(2)), terminated=[0.0, 1.0])
    value, policy = agent.parts.value.net, agent.parts.policy.net
    v, v_after = (perceptron(value, s).squeeze(1) for s in (batch.states, batch.next_states))
    u = agent.parts.critic.slow(batch.states, batch.actions).min(0).values - v
    value_loss = (torch.where(u > 0, 0.7, 0.3) * u**2).mean()
    target = batch.rewards + 0.9 * torch.tensor([1.0, 0.0]) * v_after
    std = torch.tensor([0.3, -5.0], dtype=torch.float64).exp()
    normal = torch.distributions.Normal(perceptron(policy, batch.states).tanh(), std)
    log_prob = normal.log_prob(batch.actions).sum(-1)
    loss = -((2.0 * u).exp().clamp(max=100).detach() * log_prob).mean()
    assert {(x > 0).item() for x in u} == {True, False}, "both sides of the expectile count"
    torch.testing.assert_close(critic_target(agent, batch), target.detach())
    torch.testing.assert_close(actor_loss(agent, batch), loss)
    torch.testing.assert_close(agent.method.value_step(agent, batch)["value_loss"], value_loss)


def test_weights_are_bounded(build, random_batch, randomise):
    agent = randomise(build("iql", inverse_temperature=1e6))
    assert agent.step(random_batch())["largest_weight"] == 100.0


def test_the_policy_is_weighted_by_the_new_value_and_the_old_slow_critics(
    build, random_batch, randomise, monkeypatch
):
    agent = randomise(build("iql"))
    batch, parts, seen = random_batch(), agent.parts, {}
    for name, part in parts._asdict().items():

        def descend(loss, name=name, part=part, step=part.descend):
            seen[name] = {n: [p.clone() for p in q.parameters()] for n, q in moving.items()}
            return step(loss)

        monkeypatch.setattr(part, "descend", descend)
    moving = {"value": parts.value.net, "slow": parts.critic.slow, "policy": parts.policy.net}
    start = {n: [p.clone() for p in q.parameters()] for n, q in moving.items()}
    agent.step(batch)

    def moved(at, name):
        return not all(map(torch.equal, start[name], seen[at][name]))

    assert list(seen) == ["value", "policy", "critic"]
    assert [moved(at, "value") for at in seen] == [False, True, True]
    assert [moved(at, "policy") for at in seen] == [False, False, True]
    assert [moved(at, "slow") for at in seen] == [False, False, False]
    assert not all(map(torch.equal, start["slow"], parts.critic.slow.parameters()))


def test_no_update_draws_a_random_number(build, random_batch):
    agent = build("iql")
    before = agent.noise.get_state()
    agent.step(random_batch())
    assert torch.equal(before, agent.noise.get_state())


def test_offline_comes_before_online(build):
    phases = build("iql", offline_updates=5).phases
    assert [(phase.name, phase.length) for phase in phases] == [("offline", 5), ("online", None)]


def test_the_starting_std_is_that_of_the_source(build, demonstrations):
    states = torch.from_numpy(demonstrations.states[:3])
    torch.testing.assert_close(build("iql").parts.policy(states).std, torch.ones(3, 2))


def test_the_value_sees_states_in_units_of_the_demonstrations(build, demonstrations):
    agent = build("iql", standardise_states=True)
    shown = torch.from_numpy(demonstrations.states)
    standard = (shown - shown.mean(0)) / shown.std(0, unbiased=False)
    expected = agent.parts.value.net.body(standard.clamp(-10, 10)).squeeze(1)
    torch.testing.assert_close(agent.parts.value(shown), expected)
