import functools

import pytest
import torch
from nppac_agents.methods.bcq import BCQ

QUICK = {"behaviour_hidden": (16,), "target_candidates": 3, "acting_candidates": 4}


def perceptron(layers, inputs):
    """A network's output, from its linear layers."""
    *hidden, last = [(layer.weight, layer.bias) for layer in layers if hasattr(layer, "weight")]
    for weight, bias in hidden:
        inputs = (inputs @ weight.T + bias).clamp(min=0)
    return inputs @ last[0].T + last[1]


def candidates(agent, states, noise, reach, slow=False):
    """Perturbed and unperturbed actions of the behaviour, one set of latents after the other."""
    net = agent.parts.policy.slow if slow else agent.parts.policy.net
    behaved, moved = [], []
    for latents in noise.clamp(-0.5, 0.5):
        decoder = agent.parts.behaviour.net.decoder
        action = perceptron(decoder, torch.cat([states, latents], 1)).tanh()
        move = perceptron(net.body.layers, torch.cat([states, action], 1)).tanh()
        behaved.append(action)
        moved.append((action + reach * move).clamp(-1, 1))
    return torch.stack(moved), torch.stack(behaved)


@pytest.mark.parametrize("lowest_share", [0.75, 1.0])
def test_the_target_by_hand_on_two_samples(
    build, random_batch, randomise, ending, doubled, critic_target, lowest_share
):
    settings = QUICK | {"reach": 0.3, "lowest_share": lowest_share}
    agent = randomise(build("bcq", gamma=0.9, **settings)).double()
    batch = ending(agent, doubled(random_batch(2)), terminated=[0.0, 1.0])
    agent.parts.policy.slow.body.layers[-1].bias.data.add_(0.3)
    before = agent.noise.get_state()
    noise = torch.randn(3, 2, 4, generator=agent.noise)
    moved, _ = candidates(agent, batch.next_states, noise, 0.3, slow=True)
    values = torch.stack([agent.parts.critic.slow(batch.next_states, a) for a in moved])
    low, high = values.min(1).values, values.max(1).values
    mixed = lowest_share * low + (1 - lowest_share) * high
    target = batch.rewards + 0.9 * torch.tensor([1.0, 0.0]) * mixed.max(0).values
    agent.noise.set_state(before)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())


def test_the_perturbations_loss_by_hand_on_two_samples(
    build, random_batch, randomise, doubled, actor_loss
):
    agent = randomise(build("bcq", reach=0.3, **QUICK)).double()
    batch = doubled(random_batch(2))
    before = agent.noise.get_state()
    noise = torch.randn(1, 2, 4, generator=agent.noise)
    moved, _ = candidates(agent, batch.states, noise, 0.3)
    agent.noise.set_state(before)
    loss = actor_loss(agent, batch)
    torch.testing.assert_close(loss, -agent.parts.critic(batch.states, moved[0])[0].mean())


def test_the_behaviours_loss_by_hand_on_two_samples(build, random_batch, randomise, doubled):
    agent = randomise(build("bcq", **QUICK)).double()
    batch, net = doubled(random_batch(2)), agent.parts.behaviour.net
    before = agent.noise.get_state()
    made, kl = net.reconstruct(batch.states, batch.actions, agent.noise)
    expected = ((made - batch.actions) ** 2).mean() + 0.5 * kl.mean()
    agent.noise.set_state(before)
    got = agent.method.behaviour_step(agent, batch)["behaviour_loss"]
    torch.testing.assert_close(got, expected)


def test_without_reach_it_takes_the_best_of_the_behaviours_own_actions(
    build, randomise, demonstrations
):
    agent = randomise(build("bcq", reach=0.0, **QUICK))
    states = torch.from_numpy(demonstrations.states[:7])
    before = agent.acting.get_state()
    got = torch.from_numpy(agent.act(states.numpy(), deterministic=False))
    agent.acting.set_state(before)
    noise = torch.randn(4, 7, 4, generator=agent.acting)
    _, behaved = candidates(agent, states, noise, 0.0)
    values = torch.stack([agent.parts.critic(states, a)[0] for a in behaved])
    best = torch.stack([behaved[values[:, row].argmax(), row] for row in range(7)])
    torch.testing.assert_close(got, best.detach())


def test_no_action_is_farther_from_the_behaviours_than_its_reach(build, randomise, demonstrations):
    agent = randomise(build("bcq", reach=0.2, **(QUICK | {"acting_candidates": 1})))
    states = torch.from_numpy(demonstrations.states)
    before = agent.acting.get_state()
    got = torch.from_numpy(agent.act(states.numpy(), deterministic=False))
    agent.acting.set_state(before)
    _, behaved = candidates(
        agent, states, torch.randn(1, len(states), 4, generator=agent.acting), 0
    )
    distance = (got - behaved[0]).abs().max()
    assert 0.01 < distance <= 0.2 + 1e-6


def test_a_deterministic_action_depends_on_its_state_alone(build, randomise, demonstrations):
    agent = randomise(build("bcq", **QUICK)).double()
    states = torch.from_numpy(demonstrations.states[:7]).double()
    before = {name: one.get_state() for name, one in agent._generators().items()}
    act = functools.partial(agent.method.act, agent, deterministic=True)
    together = act(states)
    alone = torch.cat([act(state[None]) for state in states.flip(0)])
    torch.testing.assert_close(together, alone.flip(0))
    assert len(together.unique(dim=0)) > 1
    for name, one in agent._generators().items():
        assert torch.equal(before[name], one.get_state()), name


def test_the_slow_perturbation_follows(build, random_batch):
    agent = build("bcq", tau=0.25, **QUICK)
    part = agent.parts.policy
    before = [p.clone() for p in part.slow.parameters()]
    agent.step(random_batch())
    nets = zip(before, part.slow.parameters(), part.net.parameters(), strict=True)
    for old, slow, new in nets:
        torch.testing.assert_close(slow, 0.75 * old + 0.25 * new.detach())


def test_offline_comes_before_online():
    phases = BCQ(offline_updates=5).phases(None)
    assert [(phase.name, phase.length) for phase in phases] == [("offline", 5), ("online", None)]
