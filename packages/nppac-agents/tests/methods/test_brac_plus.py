import math

import pytest
import torch
from nppac_agents.methods.brac_plus import BRACPlus
from nppac_agents.parts import DiagonalGaussian
from torch.distributions import Independent, MixtureSameFamily, Normal, kl_divergence

QUICK = {"behaviour_hidden": (16,), "members": 2, "samples": 3}


def normal(agent, *shape):
    """Noise as the method draws it."""
    return torch.randn(*shape, generator=agent.noise)


def raw_actions(agent, policy):
    """Actions before their tanh, and their log-density after it."""
    raw = policy.mean + policy.std * torch.randn(
        policy.mean.shape, generator=agent.noise, dtype=torch.float64
    )
    log_prob = Normal(policy.mean, policy.std).log_prob(raw) - (1 - raw.tanh() ** 2).log()
    return raw, log_prob.sum(-1)


def bound(agent, states, policy):
    """D(s), member by member and latent by latent."""
    net, size = agent.parts.behaviour.net, len(states)
    raw = policy.mean + policy.std * normal(agent, size, 2)
    mean, std = net.encode(states[None], raw[None])
    total = torch.zeros(size).double()
    for noise in normal(agent, 3, size, 4):
        decoded, log_std = net.decode(states[None], mean + std * noise)
        for member in range(2):
            model = Normal(decoded[member], log_std[member].exp())
            total = total + kl_divergence(Normal(policy.mean, policy.std), model).sum(-1) / 6
    return total + kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum(-1).mean(0)


def test_the_policys_loss_by_hand_on_two_samples(
    build, random_batch, randomise, doubled, monkeypatch
):
    agent = randomise(build("brac-plus", entropy=-1.0, **QUICK)).double()
    batch, part = doubled(random_batch(2)), agent.parts
    part.entropy_weight.net.log_value.data.fill_(0.5)
    before = agent.noise.get_state()
    policy = part.policy(batch.states)
    raw, log_prob = raw_actions(agent, policy)
    alpha = torch.nn.functional.softplus(part.multiplier.net.body(batch.states)).squeeze(1)
    beta = torch.tensor(0.5).double().exp()
    value = part.critic(batch.states, raw.tanh()).min(0).values
    distance = bound(agent, batch.states, policy)
    expected = (alpha * distance - beta * log_prob - value).mean()
    started = (distance - beta * log_prob).mean()
    monkeypatch.setattr(part.policy, "descend", lambda loss: loss)
    monkeypatch.setattr(type(part.multiplier), "ascend", lambda *given: None)
    for starting, loss in ((False, expected), (True, started)):
        agent.noise.set_state(before)
        losses = agent.method.actor_step(agent, batch, starting=starting)
        torch.testing.assert_close(losses["actor_loss"], loss)
        torch.testing.assert_close(losses["divergence"], distance.mean())


def test_the_critics_loss_by_hand_on_eight_samples(
    build, random_batch, randomise, ending, doubled, critic_target
):
    """Its slope counts where D is above mean and std of the minibatch only."""
    agent = randomise(build("brac-plus", gamma=0.9, gradient_penalty=0.3, **QUICK)).double()
    batch = ending(agent, doubled(random_batch(8)), terminated=[0.0, 1.0] + [0.0] * 6)
    before = agent.noise.get_state()
    raw, _ = raw_actions(agent, agent.parts.policy(batch.next_states))
    slow = agent.parts.critic.slow(batch.next_states, raw.tanh()).min(0).values
    target = (batch.rewards + 0.9 * (1 - batch.terminated) * slow).detach()
    agent.noise.set_state(before)
    torch.testing.assert_close(critic_target(agent, batch), target)
    before = agent.noise.get_state()
    policy = agent.parts.policy(batch.states)
    raw, _ = raw_actions(agent, policy)
    d = bound(agent, batch.states, policy).detach()
    far = d > d.mean() + d.std(correction=0)
    assert 0 < far.sum() < (d > d.mean()).sum(), "one is above the mean alone"
    actions = raw.tanh().detach().requires_grad_()
    lowest = agent.parts.critic(batch.states, actions).min(0).values.sum()
    slope = torch.autograd.grad(lowest, actions, create_graph=True)[0].norm(dim=1)
    values = agent.parts.critic(batch.states, batch.actions)
    expected = ((values - target) ** 2).mean(1).sum() + 0.3 * (far * slope).mean()
    agent.noise.set_state(before)
    got = agent.method.critic_loss(agent, batch, values, target)
    torch.testing.assert_close(got, expected)
    weights = agent.parts.critic.weights
    for one, other in zip(*(torch.autograd.grad(x, weights, retain_graph=True)
                            for x in (got, expected)), strict=True):  # fmt: skip
        torch.testing.assert_close(one, other)


def test_without_a_gradient_penalty_nothing_is_drawn_for_the_critics(build, random_batch):
    agent = build("brac-plus", gradient_penalty=0.0, **QUICK)
    batch = random_batch(4)
    before = agent.noise.get_state()
    agent.method.critic_loss(agent, batch, torch.ones(2, 4), torch.zeros(4))
    assert torch.equal(before, agent.noise.get_state())


def test_the_bound_is_above_the_divergence_from_the_mixture_of_latents(
    build, random_batch, randomise
):
    agent = randomise(build("brac-plus", **(QUICK | {"samples": 64, "members": 1})))
    agent = agent.double()
    states = random_batch(5).states.double()
    policy, net = agent.parts.policy(states), agent.parts.behaviour.net
    found = torch.stack([agent.method.distance(agent, states, policy) for _ in range(100)]).mean(0)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(400, 5, 2, generator=generator).double()
    raw = policy.mean + policy.std * noise
    latents = torch.randn(1, 500, 1, 4, generator=generator).double()
    mean, log_std = net.decode(states[None, None], latents.expand(1, 500, 5, 4))
    models = Independent(Normal(mean[0].transpose(0, 1), log_std[0].exp().transpose(0, 1)), 1)
    weights = torch.distributions.Categorical(torch.ones(5, 500).double())
    density = MixtureSameFamily(weights, models).log_prob(raw)
    own = Normal(policy.mean, policy.std).log_prob(raw).sum(-1)
    assert (found > (own - density).mean(0)).all()


def test_with_a_decoder_that_ignores_its_latent_the_bound_is_the_kl_of_normals(
    build, random_batch, randomise
):
    """Where the encoder is the prior of the latents."""
    agent = randomise(build("brac-plus", **(QUICK | {"members": 1}))).double()
    net = agent.parts.behaviour.net
    for weight in (net.encoder_weights[-1], net.encoder_biases[-1]):
        weight.data.zero_()
    net.decoder_weights[0].data[:, -4:] = 0.0
    states = random_batch(5).states.double()
    policy = agent.parts.policy(states)
    mean, log_std = net.decode(states[None], torch.zeros(1, 5, 4).double())
    model = Normal(mean[0], log_std[0].exp())
    expected = kl_divergence(Normal(policy.mean, policy.std), model).sum(-1)
    torch.testing.assert_close(agent.method.distance(agent, states, policy), expected)


def test_alpha_rises_only_at_states_whose_divergence_exceeds_the_bound(
    build, random_batch, randomise, monkeypatch
):
    agent = build("brac-plus", largest_divergence=1.0, multiplier_learning_rate=1e-2, **QUICK)
    batch = random_batch(2)
    apart = torch.tensor([3.0, 0.0])
    monkeypatch.setattr(BRACPlus, "distance", lambda self, agent, states, policy: apart)
    before = agent.parts.multiplier.value(batch.states)
    for _ in range(30):
        agent.method.actor_step(agent, batch)
    after = agent.parts.multiplier.value(batch.states)
    assert after[0] > before[0]
    assert after[1] < before[1]


def test_one_alpha_for_all_states_follows_their_mean(build, random_batch, monkeypatch):
    """It starts where alpha(s) does, and Adam's first step is its rate whatever the excess."""
    agent = build(
        "brac-plus", statewise=False, largest_divergence=1.0, multiplier_learning_rate=1e-2, **QUICK
    )
    batch, expected = random_batch(2), [math.log1p(math.exp(raw)) for raw in (0.0, 0.01, 0.0)]
    for mean, alpha in zip((1.5, 0.5), expected, strict=False):
        assert agent.parts.multiplier.value(batch.states).item() == pytest.approx(alpha, rel=1e-5)
        apart = torch.tensor([2 * mean, 0.0])
        monkeypatch.setattr(BRACPlus, "distance", lambda *given, apart=apart: apart)
        agent.method.actor_step(agent, batch)
    assert agent.parts.multiplier.value().item() < math.log1p(math.exp(0.01))


@pytest.mark.parametrize(("divergence", "entropy", "direction"), [
    ("kl", -50.0, 1), ("kl", 50.0, -1), ("mmd", 50.0, 1), ("mmd", -50.0, -1),
])  # fmt: skip
def test_beta_rises_above_a_largest_entropy_and_below_a_least_one(
    build, random_batch, divergence, entropy, direction
):
    agent = build("brac-plus", divergence=divergence, entropy=entropy, **QUICK)
    agent.step(random_batch())
    after = 10.0 * math.exp(direction * agent.method.entropy_learning_rate)
    assert agent.parts.entropy_weight.value().item() == pytest.approx(after, rel=1e-5)


def test_the_behaviours_loss_is_the_bound_of_actions_before_their_tanh(
    build, random_batch, randomise, doubled
):
    agent = randomise(build("brac-plus", **QUICK)).double()
    batch, net = doubled(random_batch(2)), agent.parts.behaviour.net
    before = agent.noise.get_state()
    raw = batch.actions.clamp(-0.999, 0.999).atanh()
    noise = normal(agent, 2, 2, 4)
    expected = -net.lower_bound(batch.states[None], raw[None], noise).mean()
    agent.noise.set_state(before)
    got = agent.method.fit_behaviour(agent, batch)["behaviour_loss"]
    torch.testing.assert_close(got, expected)


def test_the_phases_make_behaviour_policy_and_value_in_turn(build, random_batch):
    agent = build("brac-plus", behaviour_updates=2, start_updates=3, offline_updates=4, **QUICK)
    named = [(phase.name, phase.length) for phase in agent.phases]
    assert named == [
        ("behaviour", 2), ("start", 3), ("value", 3), ("offline", 4), ("online", None),
    ]  # fmt: skip
    moved = []
    for phase in agent.phases[:3]:
        before = {n: p.net.state_dict() for n, p in agent.parts._asdict().items()}
        before = {n: {k: v.clone() for k, v in s.items()} for n, s in before.items()}
        phase.update(agent, random_batch())
        moved.append({
            n for n, p in agent.parts._asdict().items()
            if any(not torch.equal(before[n][k], v) for k, v in p.net.state_dict().items())
        })  # fmt: skip
    assert moved == [{"behaviour"}, {"policy", "entropy_weight"}, {"critic"}]


# The toy figures of appendices A and B.


@pytest.mark.medium
def test_a_penalty_on_slopes_flattens_a_network_away_from_its_data():
    """Figure 4: y = 5 sin(pi x) and noise on (-0.8, 0.8), slopes punished outside of it."""
    from nppac_agents.parts import action_slopes

    def fitted(weight):
        torch.manual_seed(0)
        x = torch.rand(100, 1) * 1.6 - 0.8
        y = 5 * torch.sin(torch.pi * x[:, 0]) + 0.5 * torch.randn(100)
        side = torch.rand(100, 1).sub(0.5).sign()
        away = side * (0.8 + 1.2 * torch.rand(100, 1))
        layers = (torch.nn.Linear(1, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64),
                  torch.nn.ReLU(), torch.nn.Linear(64, 1))  # fmt: skip
        net = torch.nn.Sequential(*layers)

        def values(states, points):
            return net(points).squeeze(-1)[None]

        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(300):
            optimizer.zero_grad()
            loss = (values(x, x)[0] - y).square().mean()
            (loss + weight * action_slopes(values, away, away).mean()).backward()
            optimizer.step()
        ends = torch.tensor([[-2.0], [-1.0], [1.0], [2.0]])
        left, left_in, right_in, right = values(ends, ends)[0].tolist()
        return loss.item(), abs(left - left_in) + abs(right - right_in)

    with torch.random.fork_rng():
        (loss, rise), (free_loss, free_rise) = fitted(0.1), fitted(0.0)
    assert rise < 0.2 * free_rise
    assert loss < 1.0
    assert free_loss < 1.0


@pytest.mark.medium
@pytest.mark.parametrize(
    ("shares", "means", "stds", "forward_minima"),
    [([1.0], [0.0], [1.0], [0.0]), ([0.3, 0.7], [-1.5, 1.0], [0.3, 0.5], [-1.5, 0.9])],
    ids=["one peak", "two peaks"],
)
def test_of_two_peaks_the_policys_kl_has_two_minima_and_the_mmd_has_one(
    shares, means, stds, forward_minima
):
    """Figure 5: N(x, 0.2) against N(0, 1), and against 0.3 N(-1.5, 0.3) and 0.7 N(1, 0.5)."""
    from nppac_agents.parts import mmd, sampled_kl

    places = torch.linspace(-4, 4, 161).double()
    noise = torch.randn(256, 1, 1, generator=torch.Generator().manual_seed(0)).double()
    x = places[:, None] + 0.2 * noise
    parts = torch.distributions.Categorical(torch.tensor(shares).double())
    peaks = Normal(torch.tensor(means).double(), torch.tensor(stds).double())
    behaviour = MixtureSameFamily(parts, peaks)
    own = Normal(places[:, None], 0.2)
    policy = DiagonalGaussian(places.expand(256, 161)[..., None], torch.full((256, 161, 1), 0.2))
    known = Independent(behaviour.expand([256, 161, 1]), 1)
    forward = sampled_kl(x, policy.log_prob(x), known).mean(0)
    grid = torch.linspace(-6, 6, 2401).double()
    mass = behaviour.log_prob(grid).exp() * 0.005
    reverse = (mass * (behaviour.log_prob(grid) - own.log_prob(grid))).sum(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        draws = behaviour.sample((256, 1, 1)).expand(256, 161, 1)
    distance = mmd(x.reshape(256, 161, 1), draws, "laplacian", 5.0)

    def minima(curve):
        inner = curve[1:-1]
        lowest = places[1:-1][(inner < curve[:-2]) & (inner < curve[2:])]
        return [round(place, 1) for place in lowest.tolist()]

    centre = sum(share * mean for share, mean in zip(shares, means, strict=True))
    assert minima(forward) == pytest.approx(forward_minima, abs=0.16)
    assert minima(reverse) == pytest.approx([centre], abs=0.06)
    assert len(minima(distance)) == 1


def test_the_bound_of_two_equal_normals_is_only_what_the_latents_cost(
    build, random_batch, randomise
):
    agent = randomise(build("brac-plus", **(QUICK | {"members": 1}))).double()
    net, states = agent.parts.behaviour.net, random_batch(5).states.double()
    net.decoder_weights[0].data[:, -4:] = 0.0
    mean, log_std = net.decode(states[None], torch.zeros(1, 5, 4).double())
    policy = DiagonalGaussian(mean[0], log_std[0].exp())
    before = agent.noise.get_state()
    found = agent.method.distance(agent, states, policy)
    agent.noise.set_state(before)
    raw = policy.mean + policy.std * normal(agent, 5, 2)
    encoded = Normal(*net.encode(states[None], raw[None]))
    cost = kl_divergence(encoded, Normal(0.0, 1.0)).sum(-1)[0]
    torch.testing.assert_close(found, cost)
