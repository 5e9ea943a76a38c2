import math

import pytest
import torch
from nppac_agents.methods.brac import BRAC

QUICK = {"divergence_samples": 2, "warmup_updates": 0}
VALUE = {"warmup_updates": 0, "entropy_weight": 0.0, "divergence": "kl"}


def squashed(mean, std):
    """A tanh normal of torch, whose log-density is of an action."""
    normal = torch.distributions.Normal(mean, std)
    tanh = torch.distributions.transforms.TanhTransform(cache_size=1)
    return torch.distributions.TransformedDistribution(normal, [tanh])


def draw(agent, policy):
    raw = policy.mean + policy.std * torch.randn(
        policy.mean.shape, generator=agent.noise, dtype=torch.float64
    )
    return raw.tanh(), squashed(policy.mean, policy.std).log_prob(raw.tanh()).sum(-1)


def distance(agent, states, policy):
    """D(s), from its definition."""
    behaviour = agent.parts.behaviour(states)
    own = [draw(agent, policy) for _ in range(2)]
    if agent.method.divergence == "kl":
        known = squashed(behaviour.mean, behaviour.std)
        pairs = [log - known.log_prob(a.clamp(-0.999, 0.999)).sum(-1) for a, log in own]
        return torch.stack(pairs).mean(0)
    x, y = [a for a, _ in own], [draw(agent, behaviour)[0].detach() for _ in range(2)]
    if agent.method.divergence == "wasserstein":
        c = agent.parts.discriminator
        return sum(c(states, a)[0] - c(states, b)[0] for a, b in zip(x, y, strict=True)) / 2

    def alike(left, right):
        pairs = [(-(a - b).abs().sum(-1) / 1.5).exp() for a in left for b in right]
        return torch.stack(pairs).mean(0)

    return alike(x, x) + alike(y, y) - 2 * alike(x, y) + 1e-6


@pytest.mark.parametrize("divergence", ["kl", "mmd", "wasserstein"])
@pytest.mark.parametrize("value_penalty", [True, False])
def test_target_and_policy_loss_by_hand_on_two_samples(
    build, random_batch, randomise, ending, doubled, critic_target, actor_loss, divergence,
    value_penalty,
):  # fmt: skip
    settings = {"divergence": divergence, "value_penalty": value_penalty, "sigma": 1.5}
    agent = randomise(build("brac", gamma=0.9, alpha=0.7, entropy_weight=0.2, **settings, **QUICK))
    agent.parts.multiplier.net.log_value.data.fill_(math.log(0.7))
    agent = agent.double()
    batch = ending(agent, doubled(random_batch(2)), terminated=[0.0, 1.0])
    before = agent.noise.get_state()
    policy = agent.parts.policy(batch.next_states)
    action, log_prob = draw(agent, policy)
    value = agent.parts.critic.slow(batch.next_states, action).amin(0) - 0.2 * log_prob
    if value_penalty:
        value = value - 0.7 * distance(agent, batch.next_states, policy)
    target = batch.rewards + 0.9 * torch.tensor([1.0, 0.0]) * value
    agent.noise.set_state(before)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())
    agent.noise.set_state(before)
    policy = agent.parts.policy(batch.states)
    action, log_prob = draw(agent, policy)
    loss = 0.7 * distance(agent, batch.states, policy) + 0.2 * log_prob
    loss = (loss - agent.parts.critic(batch.states, action).amin(0)).mean()
    agent.noise.set_state(before)
    torch.testing.assert_close(actor_loss(agent, batch), loss)


def test_the_behaviours_loss_by_hand_on_two_samples(build, random_batch, randomise, doubled):
    agent = randomise(build("brac", **QUICK)).double()
    agent.parts.behaviour_entropy.net.log_value.data.fill_(-0.5)
    batch = doubled(random_batch(2))
    before = agent.noise.get_state()
    behaviour = agent.parts.behaviour(batch.states)
    _, own = draw(agent, behaviour)
    known = squashed(behaviour.mean, behaviour.std)
    given = known.log_prob(batch.actions.clamp(-0.999, 0.999)).sum(-1)
    agent.noise.set_state(before)
    got = agent.method.fit_behaviour(agent, batch)["behaviour_loss"]
    torch.testing.assert_close(got, (math.exp(-0.5) * own - given).mean())


@pytest.mark.parametrize(("log_std", "direction"), [(-1.92, -1), (-2.92, 1)])
def test_the_behaviours_entropy_is_held_at_a_nat_less_than_none_per_dimension(
    build, random_batch, log_std, direction
):
    """Normals of these stds have entropies of -1 and -3 nats in two dimensions, around -2."""
    agent = build("brac", **QUICK)
    last = agent.parts.behaviour.net.body.layers[-1]
    last.weight.data.zero_()
    last.bias.data.copy_(torch.tensor([0.0, 0.0, log_std, log_std]))
    before = agent.parts.behaviour_entropy.value()
    losses = agent.method.fit_behaviour(agent, random_batch(256))
    entropy = 2 * (log_std + 0.5 * math.log(2 * math.pi * math.e))
    assert losses["behaviour_entropy"].item() == pytest.approx(entropy, abs=0.3)
    rate = agent.method.behaviour_learning_rate
    after = before * math.exp(direction * rate)
    torch.testing.assert_close(agent.parts.behaviour_entropy.value(), after)


def test_an_equal_behaviour_is_no_distance_away(build, random_batch, randomise):
    """The KL estimate is then zero for every sample, and the MMD that of two sets of samples."""
    agent = randomise(build("brac", divergence_samples=64)).double()
    agent.parts.policy.net.load_state_dict(agent.parts.behaviour.net.state_dict())
    for weight in agent.parts.policy.net.body.layers[-1].parameters():
        weight.data.mul_(0.1)
    agent.parts.behaviour.net.load_state_dict(agent.parts.policy.net.state_dict())
    states = random_batch(50).states.double()
    kl = agent.method.distance(agent, states, agent.parts.policy(states))
    assert kl.abs().mean() < 0.05
    near = build("brac", divergence="mmd", divergence_samples=64, sigma=1.0).method
    assert near.distance(agent, states, agent.parts.policy(states)).mean() < 0.1


def test_in_brac_v_a_constant_divergence_lowers_the_target_by_its_price(
    build, random_batch, randomise, critic_target, monkeypatch
):
    monkeypatch.setattr(
        BRAC, "distance", lambda self, agent, states, policy: states.new_full((len(states),), 2.0)
    )
    batch = random_batch(5)

    def target(value_penalty):
        agent = randomise(build("brac", value_penalty=value_penalty, **QUICK))
        agent.parts.multiplier.net.log_value.data.fill_(math.log(0.5))
        return critic_target(agent, batch)

    torch.testing.assert_close(target(False) - target(True), 0.5 * 2.0 * batch.discounts)


def test_without_a_divergence_it_is_soft_actor_critic_at_a_fixed_temperature(
    build, random_batch, randomise, critic_target, monkeypatch
):
    monkeypatch.setattr(
        BRAC, "distance", lambda self, agent, states, policy: states.new_zeros(len(states))
    )
    batch = random_batch(5)
    ours = randomise(build("brac", entropy_weight=0.3, **QUICK))
    theirs = build("sac", alpha=0.3, target_entropy=None)
    for name in ("policy", "critic"):
        part = getattr(theirs.parts, name)
        part.load_state_dict(getattr(ours.parts, name).state_dict())
    theirs.noise.set_state(ours.noise.get_state())
    torch.testing.assert_close(critic_target(ours, batch), critic_target(theirs, batch))
    own, other = (agent.method.actor_step(agent, batch) for agent in (ours, theirs))
    torch.testing.assert_close(own["actor_loss"], other["actor_loss"])
    torch.testing.assert_close(own["actor_grad_norm"], other["actor_grad_norm"])


def test_one_sample_of_the_kl_and_no_entropy_make_it_nppac_towards_the_behaviour(
    build, random_batch, randomise, critic_target, monkeypatch
):
    """N-PPAC with a maximum-likelihood prior; both take the divergence at the action backed up."""
    batch = random_batch(5)
    ours = randomise(build("brac", alpha=0.3, value_penalty=True, divergence_samples=1, **VALUE))
    ours.parts.multiplier.net.log_value.data.fill_(math.log(0.3))
    start = {"start": "fresh", "squash": True, "alpha": 0.3, "bounded_values": False}
    theirs = build("nppac", kl_estimator="sampled", **start)
    for name in ("policy", "critic"):
        part = getattr(theirs.parts, name)
        part.load_state_dict(getattr(ours.parts, name).state_dict())
    behaviour = ours.parts.behaviour
    monkeypatch.setattr(
        type(theirs.method), "prior_after",
        lambda self, agent, batch: behaviour(batch.next_states),
    )  # fmt: skip
    before, drawn = ours.noise.get_state(), BRAC.drawn

    def again(method, agent, policy):
        """The divergence's sample is the action that was backed up."""
        agent.noise.set_state(before)
        return drawn(method, agent, policy)

    monkeypatch.setattr(BRAC, "drawn", again)
    theirs.noise.set_state(before)
    torch.testing.assert_close(critic_target(ours, batch), critic_target(theirs, batch))


@pytest.mark.parametrize(("largest_divergence", "direction"), [(-1e3, 1), (1e3, -1)])
def test_a_learned_alpha_rises_where_the_divergence_exceeds_its_bound_only(
    build, random_batch, largest_divergence, direction
):
    agent = build("brac", alpha=0.5, largest_divergence=largest_divergence, **QUICK)
    losses = agent.step(random_batch())
    assert losses["alpha"].item() == pytest.approx(0.5, rel=1e-5)
    after = 0.5 * math.exp(direction * agent.method.critic_learning_rate)
    assert agent.parts.multiplier.value().item() == pytest.approx(after, rel=1e-5)
    top = build("brac", alpha=499.0, largest_divergence=-1e3, critic_learning_rate=0.5, **QUICK)
    for _ in range(5):
        top.step(random_batch())
    assert top.parts.multiplier.value().item() == pytest.approx(500.0, rel=1e-3)


@pytest.mark.medium
def test_the_discriminator_finds_the_distance_of_two_points(build, random_batch):
    """Two narrow policies at -0.4 and 0.4 in one dimension, at most |a - b| = 0.8 apart."""
    settings = {"divergence": "wasserstein", "critic_learning_rate": 3e-3}
    agent = build("brac", **QUICK, **settings)
    for part, mean in ((agent.parts.policy, 0.4), (agent.parts.behaviour, -0.4)):
        last = part.net.body.layers[-1]
        last.weight.data.zero_()
        last.bias.data.copy_(torch.tensor([math.atanh(mean), 0.0, -5.0, -5.0]))
    batch = random_batch(64)
    for _ in range(150):
        agent.method.discriminate(agent, batch.states)
    found = agent.method.distance(agent, batch.states, agent.parts.policy(batch.states)).mean()
    assert found.item() == pytest.approx(0.8, abs=0.15)


def test_the_critics_do_not_move_the_policy_while_it_warms_up(build, random_batch, randomise):
    def policy(warmup_updates, factor):
        agent = randomise(build("brac", warmup_updates=warmup_updates, value_penalty=False))
        agent.parts.critic.net.weights[0].data.mul_(factor)
        for update in range(2):
            agent.step(random_batch(seed=update))
        return torch.cat([p.detach().flatten() for p in agent.parts.policy.net.parameters()])

    assert torch.equal(policy(2, 1.0), policy(2, 5.0))
    assert not torch.equal(policy(1, 1.0), policy(1, 5.0))


def test_the_behaviour_comes_first_and_stays_unless_it_is_refitted(build, random_batch):
    phases = BRAC(behaviour_updates=3, offline_updates=5).phases(None)
    assert [(phase.name, phase.length) for phase in phases] == [
        ("behaviour", 3), ("offline", 5), ("online", None),
    ]  # fmt: skip
    for refit in (False, True):
        agent = build("brac", refit_behaviour=refit, **QUICK)
        before = [p.clone() for p in agent.parts.behaviour.net.parameters()]
        agent.step(random_batch())
        assert all(map(torch.equal, before, agent.parts.behaviour.net.parameters())) != refit
