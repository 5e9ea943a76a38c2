import math

import pytest
import torch
from nppac_agents.methods.mpo import MPO
from scipy.optimize import minimize_scalar
from torch.distributions import Independent, Normal, kl_divergence

QUICK = {"samples": 3, "penalty_epsilon": None}


def drawn(agent, states):
    """The slow policy's actions as the method draws them, and its normal."""
    old = agent.parts.policy.slow(states)
    noise = torch.randn(agent.method.samples, *old.mean.shape, generator=agent.noise)
    return old.mean + old.std * noise, old


def ready(build, randomise, **settings):
    agent = randomise(build("mpo", **(QUICK | settings))).double()
    for weight in agent.parts.policy.net.parameters():
        weight.data.mul_(1.1)
    for dual in agent.parts[2:]:
        dual.net.raw.data.abs_().add_(0.5)
    return agent


def test_the_target_by_hand_on_two_samples(
    build, random_batch, randomise, ending, doubled, critic_target
):
    agent = ready(build, randomise, gamma=0.9)
    batch = ending(agent, doubled(random_batch(2)), terminated=[0.0, 1.0])
    before = agent.noise.get_state()
    actions, _ = drawn(agent, batch.next_states)
    values = [agent.parts.critic.slow(batch.next_states, a)[0] for a in actions]
    target = batch.rewards + 0.9 * torch.tensor([1.0, 0.0]) * torch.stack(values).mean(0)
    agent.noise.set_state(before)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())


@pytest.mark.parametrize("penalty_epsilon", [None, 1e-3])
def test_the_policys_loss_by_hand_on_two_samples(
    build, random_batch, randomise, doubled, monkeypatch, penalty_epsilon
):
    agent = ready(build, randomise, penalty_epsilon=penalty_epsilon)
    batch, part = doubled(random_batch(2)), agent.parts
    before = agent.noise.get_state()
    actions, old = drawn(agent, batch.states)
    values = torch.stack([part.critic.slow(batch.states, a)[0] for a in actions])
    weights = (values / part.temperature.value()).softmax(0)
    if penalty_epsilon:
        outside = (actions - actions.clamp(-1, 1)).square().sum(-1).sqrt()
        assert outside.max() > 0
        weights = weights + (-outside / part.penalty_temperature.value()).softmax(0)
    new = part.policy(batch.states)
    moved, widened = Normal(new.mean, old.std), Normal(old.mean, new.std)
    log_prob = moved.log_prob(actions).sum(-1) + widened.log_prob(actions).sum(-1)
    expected = -(weights * log_prob).sum(0)
    for dual, moved_to in ((part.mean_multiplier, moved), (part.std_multiplier, widened)):
        kl = kl_divergence(Normal(old.mean, old.std), moved_to)
        expected = expected + (dual.value() * kl).sum(-1)
    agent.noise.set_state(before)
    seen = []
    monkeypatch.setattr(part.policy, "descend", lambda loss: (seen.append(loss), loss)[1])
    agent.method.actor_step(agent, batch)
    torch.testing.assert_close(seen[0], expected.mean().detach(), check_dtype=False)


def test_at_the_optimal_temperature_the_weights_have_the_kl_of_epsilon(build):
    """The dual's minimum; its own step goes towards it from both sides."""
    method = build("mpo", epsilon=0.1).method
    values = torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def dual(eta):
        return eta * (0.1 + ((values / eta).logsumexp(0) - math.log(50)).mean().item())

    best = minimize_scalar(dual, bounds=(0.05, 20.0), method="bounded").x
    weights = (values / best).softmax(0)
    kl = (weights * (weights * 50).log()).sum(0).mean()
    assert kl.item() == pytest.approx(0.1, abs=1e-3)
    for start, direction in ((0.5 * best, 1), (2.0 * best, -1)):
        temperature = build("mpo", dual_learning_rate=1e-3).parts.temperature.double()
        temperature.net.raw.data.fill_(math.log(math.expm1(start)))
        method.improve(temperature, values, 0.1)
        assert (temperature.value().item() - start) * direction > 0


def test_equal_values_and_a_high_temperature_change_nothing(build):
    method = build("mpo").method
    temperature = build("mpo").parts.temperature
    for values in (torch.full((5, 3), 7.0), 1e-6 * torch.randn(5, 3)):
        weights = method.improve(temperature, values, 0.1)
        torch.testing.assert_close(weights, torch.full((5, 3), 0.2))


def test_the_divergences_are_zero_at_the_old_policy_and_those_of_normals_elsewhere(
    build, random_batch, randomise
):
    agent = build("mpo", **QUICK)
    losses = agent.step(random_batch())
    assert losses["mean_kl"] == losses["std_kl"] == 0.0
    old, new = (randomise(build("mpo")).parts.policy.slow(random_batch(5).states),
                randomise(build("mpo", seed=1)).parts.policy(random_batch(5).states))  # fmt: skip
    new = type(old)(new.mean + 0.2, 1.5 * new.std)
    expected = kl_divergence(Normal(old.mean, old.std), Normal(new.mean, new.std))
    torch.testing.assert_close(agent.method.divergence(old, new), expected)
    whole = kl_divergence(*(Independent(Normal(d.mean, d.std), 1) for d in (old, new)))
    torch.testing.assert_close(agent.method.divergence(old, new).sum(-1), whole)


@pytest.mark.parametrize(("epsilon", "direction"), [(1e-9, 1), (1e6, -1)])
def test_multipliers_rise_where_their_trust_region_is_left_only(
    build, random_batch, randomise, epsilon, direction
):
    agent = randomise(build("mpo", mean_epsilon=epsilon, std_epsilon=epsilon, **QUICK))
    for weight in agent.parts.policy.net.parameters():
        weight.data.mul_(1.5)
    duals = agent.parts.mean_multiplier, agent.parts.std_multiplier
    before = [dual.value() for dual in duals]
    agent.step(random_batch())
    for dual, old in zip(duals, before, strict=True):
        raw = old.expm1().log() + direction * agent.method.dual_learning_rate
        torch.testing.assert_close(dual.value(), torch.nn.functional.softplus(raw))


def test_the_slow_copies_follow_every_so_often(build, random_batch):
    agent = build("mpo", target_period=3, **QUICK)
    followed = []
    for update in range(7):
        before = agent.parts.policy.slow.body.layers[0].weight.clone()
        agent.step(random_batch(seed=update))
        for part in (agent.parts.policy, agent.parts.critic):
            pairs = zip(part.slow.parameters(), part.net.parameters(), strict=True)
            equal = all(torch.equal(*pair) for pair in pairs)
            followed.append(equal)
        assert equal != torch.equal(before, agent.parts.policy.slow.body.layers[0].weight)
    assert followed == [True, True, *[False] * 4] * 2 + [True, True]


def test_offline_comes_before_online():
    assert [phase.name for phase in MPO(offline_updates=5).phases(None)] == ["offline", "online"]
    assert [phase.name for phase in MPO().phases(None)] == ["online"]
