import pytest
import torch
from nppac_agents.methods.td3_bc import TD3BC


def perceptron(net, inputs):
    """The network's output, from its weights."""
    *hidden, last = [(layer.weight, layer.bias) for layer in net.body.layers]
    for weight, bias in hidden:
        inputs = (inputs @ weight.T + bias).clamp(min=0)
    return inputs @ last[0].T + last[1]


@pytest.fixture
def settled(build, randomise):
    """An agent in float64 whose states are not standardised."""

    def settled(**settings):
        return randomise(build("td3-bc", standardise_states=False, **settings)).double()

    return settled


def test_the_target_by_hand_on_two_samples(settled, random_batch, ending, doubled, critic_target):
    agent = settled(gamma=0.9, target_std=0.7, largest_target_noise=0.4)
    batch = ending(agent, doubled(random_batch(2)), terminated=[0.0, 1.0])
    agent.parts.policy.slow.body.layers[-1].bias.data.add_(0.8)
    before = agent.noise.get_state()
    noise = 0.7 * torch.randn(2, 2, generator=agent.noise)
    assert {(abs(e) > 0.4).item() for e in noise.flatten()} == {True, False}, "some is clipped"
    action = perceptron(agent.parts.policy.slow, batch.next_states).tanh()
    action = (action + noise.clamp(-0.4, 0.4)).clamp(-1, 1)
    value = agent.parts.critic.slow(batch.next_states, action).min(0).values
    target = batch.rewards + 0.9 * torch.tensor([1.0, 0.0]) * value
    agent.noise.set_state(before)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())


def test_the_policys_loss_by_hand_on_two_samples(
    settled, random_batch, doubled, actor_loss, policy_gradient
):
    agent, batch = settled(value_weight=1.7), doubled(random_batch(2))
    made = perceptron(agent.parts.policy.net, batch.states).tanh()
    q = agent.parts.critic(batch.states, made)[0]
    square = ((made - batch.actions) ** 2).sum() / 4
    expected = square - 1.7 / q.detach().abs().mean() * q.mean()
    got = actor_loss(agent, batch)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(policy_gradient(agent, got), policy_gradient(agent, expected))


def test_at_weight_zero_it_clones_the_replay_by_least_squares(
    settled, random_batch, doubled, actor_loss, policy_gradient
):
    agent, batch = settled(value_weight=0.0), doubled(random_batch())
    got = policy_gradient(agent, actor_loss(agent, batch))
    square = (agent.parts.policy(batch.states) - batch.actions).square().mean()
    torch.testing.assert_close(got, policy_gradient(agent, square))


def test_the_scale_of_the_values_does_not_matter(settled, random_batch, doubled, actor_loss):
    agent, batch = settled(), doubled(random_batch())
    one = actor_loss(agent, batch)
    for parameters in (agent.parts.critic.net.weights, agent.parts.critic.net.biases):
        parameters[-1].data.mul_(1e3)
    torch.testing.assert_close(actor_loss(agent, batch), one)


def test_policy_and_slow_copies_move_with_the_last_of_each_group(build, random_batch):
    agent = build("td3-bc", critic_updates_per_actor_update=3, tau=0.25)
    slow = agent.parts.policy.slow
    for update in range(6):
        before = [p.clone() for p in slow.parameters()]
        losses = agent.step(random_batch(seed=update))
        moves = update % 3 == 2
        assert ("actor_loss" in losses) == moves
        for old, now, new in zip(
            before, slow.parameters(), agent.parts.policy.net.parameters(), strict=True
        ):
            followed = 0.75 * old + 0.25 * new.detach() if moves else old
            torch.testing.assert_close(now, followed)


def test_it_explores_with_clipped_noise_and_is_judged_without(build, demonstrations):
    agent, states = build("td3-bc", exploration_std=0.5), demonstrations.states[:50]
    quiet, noisy = (torch.from_numpy(agent.act(states, deterministic=d)) for d in (True, False))
    seen = torch.from_numpy(states)
    torch.testing.assert_close(quiet, agent.parts.policy(seen).detach())
    free = (noisy - quiet)[noisy.abs() < 1]
    assert free.std().item() == pytest.approx(0.5, rel=0.3)
    assert noisy.abs().max() == 1.0


def test_states_are_standardised_as_in_the_source():
    assert TD3BC().standardise_states
