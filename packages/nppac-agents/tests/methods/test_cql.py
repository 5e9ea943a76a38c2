import math

import pytest
import torch
from conservative import gap_by_hand, normals
from nppac_agents.methods.cql import CQL, conservative_gap

SMALL_GAP = {"conservative_samples": 3, "warmup_updates": 0}


@pytest.fixture
def settled(build, randomise):
    def settled(kind="cql", **settings):
        return randomise(build(kind, **(SMALL_GAP | settings))).double()

    return settled


def test_the_gap_by_hand_on_two_samples(settled, random_batch, doubled):
    agent, batch = settled(), doubled(random_batch(2))
    values = agent.parts.critic(batch.states, batch.actions)
    before = agent.noise.get_state()
    expected = gap_by_hand(agent, batch, 3)
    agent.noise.set_state(before)
    torch.testing.assert_close(conservative_gap(agent, batch, values, 3, None), expected)


@pytest.mark.parametrize(("entropy_backup", "backup_samples"), [(False, 4), (True, 4), (True, 1)])
def test_the_critics_loss_by_hand_on_two_samples(
    settled, random_batch, ending, doubled, monkeypatch, entropy_backup, backup_samples
):
    settings = {"gamma": 0.9, "conservative_weight": 0.7, "largest_gap": 2.0}
    settings |= {"backup_samples": backup_samples, "entropy_backup": entropy_backup, "alpha": 0.3}
    agent = settled(**settings)
    agent.parts.multiplier.net.log_value.data.fill_(0.4)
    batch = ending(agent, doubled(random_batch(2)), terminated=[1.0, 0.0])
    before = agent.noise.get_state()
    policy = agent.parts.policy(batch.next_states)
    actions, log_prob = normals(policy, backup_samples, agent.noise)
    lower = [agent.parts.critic.slow(batch.next_states, a).min(0).values for a in actions]
    best = torch.stack(lower).argmax(0)
    value = torch.stack([lower[best[row]][row] for row in range(2)])
    if entropy_backup:
        value = value - 0.3 * torch.stack([log_prob[best[row], row] for row in range(2)])
    target = (batch.rewards + 0.9 * torch.tensor([0.0, 1.0]) * value).detach()
    gap = gap_by_hand(agent, batch, 3)
    squares = (agent.parts.critic(batch.states, batch.actions) - target).square().mean(1)
    expected = (squares + math.exp(0.4) * (0.7 * gap - 2.0)).sum()
    agent.noise.set_state(before)
    seen = []
    monkeypatch.setattr(agent.parts.critic, "descend", lambda loss: (seen.append(loss), loss)[1])
    agent.method.critic_step(agent, batch)
    torch.testing.assert_close(seen[0], expected)


def test_at_weight_zero_its_critics_are_sacs_without_the_entropy(
    settled, build, randomise, random_batch, doubled
):
    from nppac_agents.methods.sac import SAC

    agent, batch = settled(conservative_weight=0.0), doubled(random_batch())
    sac = randomise(build("sac", alpha=1e-30, target_entropy=None)).double()
    sac.parts.critic.load_state_dict(agent.parts.critic.state_dict())
    sac.parts.policy.load_state_dict(agent.parts.policy.state_dict())
    losses = []
    for one in (agent, sac):
        one.noise.manual_seed(1)
        losses.append(one.method.critic_step(one, batch)["critic_loss"])
    torch.testing.assert_close(*losses)
    assert isinstance(agent.method, SAC)


def test_of_constant_critics_the_gap_is_the_volume_that_the_weights_estimate(
    settled, random_batch, doubled
):
    """Each of 3 n weights 1 / mu has the mean 2^A, where mu covers all actions."""
    agent, batch = settled(), doubled(random_batch(512))
    for parameters in agent.parts.critic.net.parameters():
        parameters.data.zero_()
    last = agent.parts.policy.net.body.layers[-1]
    last.weight.data.zero_()
    last.bias.data.zero_()
    size = 64
    gap = conservative_gap(agent, batch, torch.zeros(2, 512).double(), size, None)
    expected = math.log(3 * size * 2**2)
    assert gap.tolist() == pytest.approx([expected] * 2, abs=0.1)


def test_if_every_action_is_worth_what_the_datas_is_the_gap_is_no_less_than_zero(
    settled, random_batch, doubled
):
    """Then the uniform actions alone have a soft maximum of log(2^A) above it."""
    agent, batch = settled(), doubled(random_batch(20))
    agent.parts.critic.net.weights[0].data[:, agent.spaces.state_dim :] = 0.0
    values = agent.parts.critic(batch.states, batch.actions)
    assert values.std() > 0.01
    gap = conservative_gap(agent, batch, values, 1, None)
    assert (gap > agent.spaces.action_dim * math.log(2.0)).all()


def test_without_a_threshold_the_multiplier_stays_and_with_one_it_follows_the_gap(
    build, random_batch
):
    def after_a_step(largest_gap):
        agent = build("cql", largest_gap=largest_gap, critic_learning_rate=0.01, **SMALL_GAP)
        agent.step(random_batch())
        return agent.parts.multiplier.value().item()

    assert after_a_step(None) == 1.0
    assert after_a_step(1e-6) == pytest.approx(math.exp(0.01), rel=1e-5)
    assert after_a_step(1e6) == pytest.approx(math.exp(-0.01), rel=1e-5)


def test_while_it_warms_up_the_policy_clones_with_the_entropy(
    build, randomise, random_batch, doubled, actor_loss
):
    settings = SMALL_GAP | {"warmup_updates": 1, "alpha": 0.3}
    agent = randomise(build("cql", **settings)).double()
    batch = doubled(random_batch(2))
    batch.actions.mul_(0.2)
    before = agent.noise.get_state()
    policy = agent.parts.policy(batch.states)
    _, log_prob = normals(policy, 1, agent.noise)
    raw = batch.actions.atanh()
    density = torch.distributions.Normal(policy.mean, policy.std).log_prob(raw)
    theirs = (density - (1 - batch.actions**2).log()).sum(1)
    expected = (0.3 * log_prob[0] - theirs).mean()
    agent.noise.set_state(before)
    torch.testing.assert_close(actor_loss(agent, batch), expected)
    agent.updates = 1
    agent.noise.set_state(before)
    actions, log_prob = normals(policy, 1, agent.noise)
    value = agent.parts.critic(batch.states, actions[0]).min(0).values
    agent.noise.set_state(before)
    torch.testing.assert_close(actor_loss(agent, batch), (0.3 * log_prob[0] - value).mean())


def test_the_gap_moves_neither_policy_nor_temperature(settled, random_batch, doubled):
    agent, batch = settled(), doubled(random_batch())
    values = agent.parts.critic(batch.states, batch.actions)
    gap = conservative_gap(agent, batch, values, 3, None).sum()
    others = [*agent.parts.policy.net.parameters(), *agent.parts.temperature.net.parameters()]
    assert torch.autograd.grad(gap, others, allow_unused=True) == (None,) * len(others)


def test_offline_comes_before_online():
    phases = CQL(offline_updates=5).phases(None)
    assert [(phase.name, phase.length) for phase in phases] == [("offline", 5), ("online", None)]
