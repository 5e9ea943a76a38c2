import functools
import math

import pytest
import torch
from nppac_agents.methods.bear import BEAR

QUICK = {"behaviour_hidden": (16,), "mmd_samples": 3, "candidates": 4, "warmup_updates": 0}


def perceptron(layers, inputs):
    """A network's output, from its linear layers."""
    *hidden, last = [(layer.weight, layer.bias) for layer in layers if hasattr(layer, "weight")]
    for weight, bias in hidden:
        inputs = (inputs @ weight.T + bias).clamp(min=0)
    return inputs @ last[0].T + last[1]


def moments(net, states):
    """Mean and std of a policy network before its tanh."""
    mean, log_std = perceptron(net.body.layers, states).chunk(2, -1)
    return mean, log_std.clamp(-20, 2).exp()


def every(critic, states, actions):
    """Values (E, N, B) of actions (N, B, A), one set of actions after the other."""
    return torch.stack([critic(states, one) for one in actions], 1)


def laplacian_mmd(x, y, sigma):
    """The MMD (B,) by three loops, from its definition."""

    def similarity(left, right):
        pairs = [(-(a - b).abs().sum(-1) / (2 * sigma)).exp() for a in left for b in right]
        return torch.stack(pairs).mean(0)

    return (similarity(x, x) + similarity(y, y) - 2 * similarity(x, y) + 1e-6).sqrt()


def test_the_target_by_hand_on_two_samples(
    build, random_batch, randomise, ending, doubled, critic_target
):
    agent = randomise(build("bear", gamma=0.9, **QUICK)).double()
    batch = ending(agent, doubled(random_batch(2)), terminated=[0.0, 1.0])
    agent.parts.policy.slow.body.layers[-1].bias.data.add_(0.3)
    before = agent.noise.get_state()
    mean, std = moments(agent.parts.policy.slow, batch.next_states)
    actions = (mean + std * torch.randn(4, 2, 2, generator=agent.noise)).tanh()
    values = every(agent.parts.critic.slow, batch.next_states, actions)
    mixed = 0.75 * values.min(0).values + 0.25 * values.max(0).values
    target = batch.rewards + 0.9 * torch.tensor([1.0, 0.0]) * mixed.max(0).values
    agent.noise.set_state(before)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())


@pytest.mark.parametrize("warmup_updates", [0, 1])
def test_the_policys_loss_by_hand_on_two_samples(
    build, random_batch, randomise, doubled, actor_loss, warmup_updates
):
    settings = QUICK | {"warmup_updates": warmup_updates, "sigma": 1.5}
    agent = randomise(build("bear", **settings)).double()
    agent.parts.multiplier.net.log_value.data.fill_(0.7)
    batch = doubled(random_batch(2))
    before = agent.noise.get_state()
    mean, std = moments(agent.parts.policy.net, batch.states)
    raw = mean + std * torch.randn(3, 2, 2, generator=agent.noise).clamp(-0.5, 0.5)
    latents = torch.randn(3, 2, 4, generator=agent.noise).clamp(-0.5, 0.5)
    decoder = agent.parts.behaviour.net.decoder
    theirs = torch.stack([perceptron(decoder, torch.cat([batch.states, z], 1)) for z in latents])
    expected = (math.exp(0.7) * laplacian_mmd(raw, theirs, 1.5)).mean()
    if not warmup_updates:
        values = every(agent.parts.critic, batch.states, raw.tanh())
        expected = expected - values.mean(1).min(0).values.mean()
    agent.noise.set_state(before)
    torch.testing.assert_close(actor_loss(agent, batch), expected)


def test_the_behaviours_loss_by_hand_on_two_samples(build, random_batch, randomise, doubled):
    agent = randomise(build("bear", **QUICK)).double()
    batch, net = doubled(random_batch(2)), agent.parts.behaviour.net
    before = agent.noise.get_state()
    pairs = torch.cat([batch.states, batch.actions], 1)
    mean, log_std = perceptron(net.encoder, pairs).chunk(2, -1)
    std = log_std.clamp(-4, 15).exp()
    noise = torch.randn(2, 4, generator=agent.noise, dtype=torch.float64)
    made = perceptron(net.decoder, torch.cat([batch.states, mean + std * noise], 1)).tanh()
    kl = -0.5 * (1 + (std**2).log() - mean**2 - std**2).mean()
    expected = ((made - batch.actions) ** 2).mean() + 0.5 * kl
    agent.noise.set_state(before)
    got = agent.method.behaviour_step(agent, batch)["behaviour_loss"]
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(("largest_mmd", "direction"), [(1e-4, 1.0), (1e4, -1.0)])
def test_the_multiplier_rises_where_the_mmd_exceeds_its_bound_only(
    build, random_batch, largest_mmd, direction
):
    """Adam's first step on log lambda is its rate, in the direction of MMD - bound."""
    agent = build("bear", largest_mmd=largest_mmd, multiplier_learning_rate=0.01, **QUICK)
    agent.step(random_batch())
    expected = math.exp(0.01 * direction)
    assert agent.parts.multiplier.value().item() == pytest.approx(expected, rel=1e-5)


def test_the_multiplier_stays_within_the_sources_bounds(build, random_batch):
    agent = build("bear", largest_mmd=1e4, multiplier_learning_rate=1.0, **QUICK)
    for _ in range(20):
        agent.step(random_batch())
    assert agent.parts.multiplier.value().item() == pytest.approx(math.exp(-5.0), rel=1e-5)


def test_the_critics_do_not_move_the_policy_while_it_warms_up(build, random_batch, randomise):
    """Another reward function, the same policy; afterwards not."""

    def policy(warmup_updates, bias):
        agent = randomise(build("bear", **(QUICK | {"warmup_updates": warmup_updates})))
        agent.parts.critic.net.weights[0].data.mul_(bias)
        for update in range(3):
            agent.step(random_batch(seed=update))
        return torch.cat([p.detach().flatten() for p in agent.parts.policy.net.parameters()])

    assert torch.equal(policy(3, 1.0), policy(3, 5.0))
    assert not torch.equal(policy(2, 1.0), policy(2, 5.0))


def test_the_slow_policy_follows(build, random_batch):
    agent = build("bear", tau=0.25, **QUICK)
    before = [p.clone() for p in agent.parts.policy.slow.parameters()]
    agent.step(random_batch())
    nets = zip(
        before,
        agent.parts.policy.slow.parameters(),
        agent.parts.policy.net.parameters(),
        strict=True,
    )
    for old, slow, new in nets:
        torch.testing.assert_close(slow, 0.75 * old + 0.25 * new.detach())


def test_it_acts_by_the_first_critics_best_candidate(build, randomise, demonstrations):
    agent = randomise(build("bear", **QUICK))
    states = torch.from_numpy(demonstrations.states[:7])
    before = agent.acting.get_state()
    got = torch.from_numpy(agent.act(states.numpy(), deterministic=False))
    agent.acting.set_state(before)
    mean, std = moments(agent.parts.policy.net, states)
    actions = (mean + std * torch.randn(4, 7, 2, generator=agent.acting)).tanh()
    values = every(agent.parts.critic.net, states, actions)[0]
    best = torch.stack([actions[values[:, row].argmax(), row] for row in range(7)])
    torch.testing.assert_close(got, best.detach())


def test_a_deterministic_action_depends_on_its_state_alone(build, randomise, demonstrations):
    agent = randomise(build("bear", **QUICK)).double()
    states = torch.from_numpy(demonstrations.states[:7]).double()
    before = {name: one.get_state() for name, one in agent._generators().items()}
    act = functools.partial(agent.method.act, agent, deterministic=True)
    together = act(states)
    alone = torch.cat([act(state[None]) for state in states.flip(0)])
    torch.testing.assert_close(together, alone.flip(0))
    assert len(together.unique(dim=0)) > 1
    for name, one in agent._generators().items():
        assert torch.equal(before[name], one.get_state()), name


def test_offline_comes_before_online():
    phases = BEAR(offline_updates=5).phases(None)
    assert [(phase.name, phase.length) for phase in phases] == [("offline", 5), ("online", None)]
