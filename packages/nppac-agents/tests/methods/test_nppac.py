import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from nppac_agents import parts
from nppac_agents.conformance_world import TwoModes
from nppac_agents.data.rollouts import Step
from nppac_agents.methods.nppac import NPPAC, PUBLISHED
from nppac_agents.parts.distributions import DiagonalGaussian, gaussian_log_prob
from nppac_priors.errors import ConfigError
from pydantic import ValidationError


@pytest.fixture
def random_batch(random_batch):
    """Batches with the moments of a prior."""
    return partial(random_batch, prior_std=0.1)


def two_modes(demonstrations):
    """A prior that is not Gaussian."""
    return TwoModes().fit(demonstrations.states, demonstrations.actions)


# The critic target and the losses, by hand on two samples.


@pytest.mark.parametrize("estimator", ["sampled", "analytic"])
@pytest.mark.parametrize("scale", ["std", "variance"])
@pytest.mark.parametrize("timeouts", [True, False])
def test_losses_by_hand_on_two_samples(
    build,
    random_batch,
    randomise,
    doubled,
    ending,
    critic_target,
    actor_loss,
    policy_gradient,
    estimator,
    scale,
    timeouts,
):
    settings = {"alpha": 0.4, "gamma": 0.9, "start": "fresh"}
    agent = randomise(
        build("nppac", kl_estimator=estimator, prior_scale=scale,
              timeouts_are_terminal=timeouts, **settings)
    ).double()  # fmt: skip
    batch = ending(agent, doubled(random_batch(2)), truncated=[0.0, 1.0])
    noise = agent.noise.get_state()

    def by_hand(states, prior_mean, prior_std, critic):
        sigma0 = prior_std if scale == "std" else prior_std**2
        head, log_std = agent.parts.policy.net.body(states).chunk(2, -1)
        mu, sigma = head.tanh(), log_std.exp()
        action = mu + sigma * torch.randn(2, 2, generator=agent.noise, dtype=torch.float64)
        if estimator == "sampled":
            kl = gaussian_log_prob(action, mu, sigma) - gaussian_log_prob(
                action, prior_mean, sigma0
            )
        else:
            per_dimension = (
                (sigma0 / sigma).log() + (sigma**2 + (mu - prior_mean) ** 2) / (2 * sigma0**2) - 0.5
            )
            kl = per_dimension.sum(1)
        return critic(states, action).min(0).values, kl

    value, kl = by_hand(
        batch.next_states, batch.next_prior_mean, batch.next_prior_std, agent.parts.critic.slow
    )
    goes_on = torch.tensor([1.0, 0.0 if timeouts else 1.0]).double()
    target = batch.rewards + 0.9 * goes_on * (value - 0.4 * kl)
    value, kl = by_hand(batch.states, batch.prior_mean, batch.prior_std, agent.parts.critic)
    expected = (0.4 * kl - value).mean()

    agent.noise.set_state(noise)
    torch.testing.assert_close(critic_target(agent, batch), target.detach())
    got = actor_loss(agent, batch)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(policy_gradient(agent, got), policy_gradient(agent, expected))


def test_critic_loss_is_summed_over_critics_and_averaged_over_the_batch(
    build, random_batch, randomise, doubled, critic_target
):
    agent = randomise(build("nppac", relative_rewards=False)).double()
    batch = doubled(random_batch(2))
    noise = agent.noise.get_state()
    target = critic_target(agent, batch)
    values = agent.parts.critic(batch.states, batch.actions).detach()
    expected = ((values[0] - target) ** 2).mean() + ((values[1] - target) ** 2).mean()
    agent.noise.set_state(noise)
    torch.testing.assert_close(agent.method.critic_step(agent, batch)["critic_loss"], expected)


# Identities and limits.


def test_halving_the_priors_std_multiplies_its_action_gradient_by_four():
    """Proposition 1 of the paper: the gradient of log pi0 is of order 1 / sigma0^2."""
    actions = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    mean, std = torch.randn(5, 3).double(), torch.rand(5, 3).double() + 0.1

    def gradient(scale):
        loss = -gaussian_log_prob(actions, mean, scale).sum()
        return torch.autograd.grad(loss, actions)[0]

    torch.testing.assert_close(gradient(std / 2), 4 * gradient(std), rtol=1e-12, atol=0)


@pytest.mark.parametrize("estimator", ["sampled", "analytic"])
def test_the_whole_gradient_grows_fourfold_in_the_limit_of_a_narrow_prior(
    build, random_batch, randomise, doubled, actor_loss, policy_gradient, estimator
):
    agent = randomise(build("nppac", start="fresh", kl_estimator=estimator)).double()

    def norm(std):
        batch = doubled(random_batch(16, prior_std=std))
        agent.noise.manual_seed(4)
        return policy_gradient(agent, actor_loss(agent, batch)).norm()

    ratios = [(norm(std / 2) / norm(std)).item() for std in (1.0, 1e-2, 1e-4)]
    assert abs(ratios[2] - 4) < 1e-3
    assert abs(ratios[2] - 4) < abs(ratios[1] - 4) < abs(ratios[0] - 4)


def test_at_the_prior_there_is_no_regularisation(build, random_batch, doubled, critic_target):
    """An untrained residual policy is the prior, in its scale: plain double Q-learning."""
    settings = {"alpha": 10.0, "prior_scale": 0.25, "target_action": "sample"}
    agent = build("nppac", kl_estimator="analytic", **settings).double()
    batch = doubled(random_batch())
    noise = agent.noise.get_state()
    target = critic_target(agent, batch)
    agent.noise.set_state(noise)
    shape = batch.next_prior_mean.shape
    drawn = torch.randn(shape, generator=agent.noise, dtype=torch.float64)
    actions = batch.next_prior_mean + 0.25 * batch.next_prior_std * drawn
    plain = batch.rewards + 0.99 * agent.parts.critic.slow(batch.next_states, actions).amin(0)
    torch.testing.assert_close(target, plain.detach())


def test_critics_can_learn_the_value_of_the_mode(
    build, random_batch, randomise, doubled, critic_target
):
    settings = {"alpha": 0.4, "n_steps": 1, "target_action": "mode", "bounded_values": False}
    agent = randomise(build("nppac", **settings)).double()
    batch = doubled(random_batch())
    prior = agent.method.prior_after(agent, batch)
    with torch.no_grad():
        policy = agent.parts.policy(batch.next_states, prior)
        kl = parts.analytic_kl(policy, prior)
        value = agent.parts.critic.slow(batch.next_states, policy.mean).amin(0)
    assert (kl > 0.01).all()
    expected = batch.rewards + batch.discounts * (value - 0.4 * kl)
    torch.testing.assert_close(critic_target(agent, batch), expected)


def test_terminal_states_have_no_future(build, random_batch, randomise, ending, critic_target):
    agent = randomise(build("nppac"))
    batch = ending(agent, random_batch(), terminated=[1.0] * 32)
    target = critic_target(agent, batch)
    torch.testing.assert_close(target, batch.rewards)


# Learning.


def test_the_update_moves_exactly_what_it_should(build, random_batch):
    agent = build("nppac", target_kl=2.0, kl_budget=None)
    before = {name: value.clone() for name, value in agent.state().items()}

    def moved():
        """Parts, and slow copies, of which a weight differs from before."""
        names = {
            name
            for name, value in agent.state().items()
            if name.startswith("part.") and not torch.equal(value, before[name])
        }
        return {".".join(name.split(".")[1:3]) for name in names}

    assert "actor_loss" in agent.step(random_batch())
    learned = {"critic.net", "critic.slow", "policy.net", "temperature.net"}
    assert moved() == learned | {"critic.unit", "critic.measured"}


@pytest.mark.medium
def test_distillation_drives_the_policy_to_the_prior(build, prior, demonstrations):
    agent = build(
        "nppac", start="distilled", kl_estimator="analytic",
        pretraining_epochs=300, pretraining_batch_size=50, policy_learning_rate=3e-3,
        policy_hidden=(64, 64),
    )  # fmt: skip
    (phase, online) = agent.phases
    assert (phase.name, phase.length, online.length) == ("pretrain", 600, None)
    replay = agent.make_replay(1, 1, torch.Generator())
    divergences = [agent.learn(phase, replay)["kl"].item() for _ in range(phase.length)]
    assert divergences[0] > 10
    assert sum(divergences[-10:]) / 10 < 0.3
    states = demonstrations.states[:20]
    expected = prior.mean(states)
    got = torch.from_numpy(agent.act(states, deterministic=True))
    assert (got - expected).abs().mean() < 0.1


# Acting.


def test_evaluation_is_deterministic_and_training_is_not(build, prior, demonstrations):
    agent, states = build("nppac"), demonstrations.states[:7]
    modes = [agent.act(states, deterministic=True) for _ in range(2)]
    assert (modes[0] == modes[1]).all()
    torch.testing.assert_close(torch.from_numpy(modes[0]), prior.mean(states))
    samples = [agent.act(states, deterministic=False) for _ in range(2)]
    assert (samples[0] != samples[1]).any()


@pytest.mark.parametrize("scale", ["std", "variance", 0.3])
def test_a_squashed_residual_evaluation_reads_the_priors_scale_and_remembers_nothing(
    build, prior, demonstrations, scale
):
    squashed = {"squash": True, "trust_region": None}
    agent, states = build("nppac", prior_scale=scale, **squashed), demonstrations.states[:7]
    mean, std = prior.moments(states)
    sigma = {"std": std, "variance": std.square(), 0.3: 0.3 * std}[scale]
    inputs = torch.from_numpy(states)
    expected = agent.parts.policy(inputs, DiagonalGaussian(mean, sigma)).mode().detach()
    got = torch.from_numpy(agent.act(states, deterministic=True))
    torch.testing.assert_close(got, expected)
    assert agent.observed.evaluations == 0


def test_prior_scale_says_what_the_policy_spreads_by(build, prior, demonstrations):
    states = demonstrations.states[:1].repeat(20_000, axis=0)
    _, std = prior.moments(states[:1])
    for scale, expected in (("std", std), ("variance", std**2), (0.3, 0.3 * std)):
        actions = build("nppac", prior_scale=scale).act(states, deterministic=False)
        torch.testing.assert_close(torch.from_numpy(actions).std(0), expected[0], rtol=0.03, atol=0)


# Bad combinations.


def test_analytic_kl_needs_an_unsquashed_policy():
    with pytest.raises(ValidationError, match="kl_estimator 'analytic' needs an unsquashed"):
        NPPAC(squash=True, kl_estimator="analytic")


def test_an_agent_without_a_gaussian_prior_is_refused(spaces, prior, generator):
    with pytest.raises(ConfigError, match="needs a prior with a mean and a standard deviation"):
        NPPAC().build(spaces, None, None, generator=generator)


@pytest.mark.parametrize(
    "settings", [{}, {"start": "fresh", "kl_estimator": "analytic"},
                 {"start": "fresh", "prior_scale": "variance"}],
)  # fmt: skip
def test_a_prior_that_is_not_gaussian_is_refused_where_its_moments_are_needed(
    settings, spaces, demonstrations, generator
):
    with pytest.raises(ConfigError, match="needs a prior with a mean and a standard deviation"):
        NPPAC(**settings).build(spaces, two_modes(demonstrations), None, generator=generator)


@pytest.mark.parametrize("start", ["fresh", "distilled"])
def test_the_sampled_kl_of_a_prior_that_is_not_gaussian_is_in_target_and_loss(
    start, spaces, demonstrations, random_batch, actor_loss, critic_target, generator
):
    config = NPPAC(start=start, alpha=0.5, policy_hidden=(16,), critic_hidden=(16,), squash=True)
    prior = two_modes(demonstrations)
    agent = config.build(spaces, prior, demonstrations, generator=generator)
    batch = random_batch(8)
    before = agent.noise.get_state()
    target = critic_target(agent, batch)
    agent.noise.set_state(before)
    policy = agent.parts.policy(batch.next_states)
    actions, log_prob = policy.sample(agent.noise)
    kl = log_prob - prior(batch.next_states).log_prob(actions)
    value = agent.parts.critic.slow(batch.next_states, actions).amin(0) - 0.5 * kl
    torch.testing.assert_close(target, (batch.rewards + batch.discounts * value).detach())
    agent.noise.set_state(before)
    loss = actor_loss(agent, batch)
    agent.noise.set_state(before)
    actions, log_prob = agent.parts.policy(batch.states).sample(agent.noise)
    kl = log_prob - prior(batch.states).log_prob(actions)
    torch.testing.assert_close(
        loss, (0.5 * kl - agent.parts.critic(batch.states, actions).amin(0)).mean()
    )
    assert set(agent.step(batch)) >= {"kl", "actor_loss"}


@pytest.mark.medium
def test_distillation_moves_a_policy_onto_one_mode_of_such_a_prior(
    spaces, demonstrations, generator
):
    """The divergence KL(pi || pi0) has its minimum there: log 2 nats for each dimension's half."""
    settings = {"pretraining_epochs": 30, "policy_learning_rate": 3e-3, "policy_hidden": (32,)}
    config = NPPAC(start="distilled", pretraining_batch_size=20, **settings)
    agent = config.build(spaces, two_modes(demonstrations), demonstrations, generator=generator)
    agent.prepare()
    modes = agent.act(demonstrations.states, deterministic=True)
    assert abs(abs(modes) - 0.5).mean() < 0.15
    assert abs(modes[:, 0] - modes[:, 1]).mean() < 0.15, "both dimensions have the same sign"


def test_a_distilled_start_needs_demonstrations(spaces, prior, generator):
    config = NPPAC(start="distilled")
    with pytest.raises(ConfigError, match="needs demonstrations"):
        config.build(spaces, prior, None, generator=generator)


def test_a_prior_of_other_dimensions_is_refused(spaces, prior, generator):
    wide = spaces._replace(action=type(spaces.action)(-1, 1, (3,)))
    with pytest.raises(ConfigError, match="prior has 4 state and 2 action dimensions"):
        NPPAC().build(wide, prior, None, generator=generator)


def test_learned_temperature_is_reported(build, random_batch):
    agent = build("nppac", alpha=0.5, target_kl=1e-3, start="fresh")
    first = agent.step(random_batch())["alpha"].item()
    assert first == pytest.approx(0.5)
    for _ in range(20):
        last = agent.step(random_batch())["alpha"].item()
    assert last > first
    assert math.isfinite(last)


# What goes beyond the paper.

BEYOND = {
    "kl_estimator": "analytic", "n_steps": 3, "relative_rewards": True, "kl_budget": 0.05,
    "trust_region": 1.0, "alpha": 0.2, "temperature_learning_rate": 0.05,
    "demonstration_share": 0.25, "n_critics": 4, "actor_value": "mean",
}  # fmt: skip


def test_alpha_rises_above_the_budget_and_falls_back_to_its_first_value(build, random_batch):
    agent = build("nppac", **BEYOND)
    temperature, method = agent.parts.temperature, agent.method
    burst, over, at, none = (torch.full((8,), kl) for kl in (50.0, 0.15, 0.1, 0.0))
    assert [method.excess(agent, kl).item() for kl in (burst, over, at, none)] == [
        1.0, pytest.approx(0.5), pytest.approx(0.0, abs=1e-6), -1.0,
    ]  # fmt: skip
    for _ in range(20):
        temperature.ascend_log(method.excess(agent, burst))
    assert temperature.value() > 0.4
    for _ in range(200):
        temperature.ascend_log(method.excess(agent, none))
    assert temperature.value().item() == pytest.approx(0.2, rel=1e-6)


def test_the_warm_up_moves_critics_and_their_slow_copies_alone(build, random_batch):
    agent = build("nppac", **BEYOND, rollout_steps=60, critic_warmup_updates=5)
    rollouts, warm_up, _ = agent.phases
    assert (rollouts.name, rollouts.length, rollouts.update) == ("rollouts", 60, None)
    assert (warm_up.name, warm_up.length, warm_up.evaluates) == ("warm-up", 5, False)
    before = agent.state()
    before = {name: value.clone() for name, value in before.items()}
    assert "actor_loss" not in warm_up.update(agent, random_batch())
    after = agent.state()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {".".join(name.split(".")[1:3]) for name in moved if name.startswith("part.")} == {
        "critic.net", "critic.slow", "critic.unit", "critic.measured",
    }  # fmt: skip


def test_targets_stay_within_what_rewards_can_add_up_to(build, random_batch):
    agent = build("nppac", gamma=0.9, relative_rewards=False)
    agent.spaces = agent.spaces._replace(rewards=(-1.0, 0.5))
    batch = replace(random_batch(), rewards=torch.linspace(-20.0, 20.0, 32))
    free = batch.rewards + batch.discounts * agent.method.next_value(agent, batch).detach()
    assert free.min() < -10.0
    assert free.max() > 5.0
    target = agent.method.critic_target(agent, batch)
    torch.testing.assert_close(
        torch.stack([target.min(), target.max()]), torch.tensor([-10.0, 5.0])
    )
    agent.parts.critic.unit.fill_(2.0)
    assert agent.method.critic_target(agent, batch).max().item() == pytest.approx(2.5, rel=1e-5)
    agent.spaces = agent.spaces._replace(rewards=None)
    assert agent.method.critic_target(agent, batch).max() > 5.0


def test_the_error_of_critics_is_measured_on_rollouts_that_they_do_not_learn_from(build):
    agent = build("nppac", rollout_steps=60, critic_warmup_updates=5)
    warm_up = agent.phases[1]
    replay = agent.make_replay(100, 2, torch.Generator().manual_seed(0))
    flag = torch.zeros(2, dtype=torch.bool).numpy()
    for number in range(16):
        states = np.full((2, 4), float(number)) + np.array([[0.0], [100.0]])
        replay.add(Step(states, states[:, :2], states[:, 0], flag, flag, states))
    seen = torch.cat([warm_up.batch(agent, replay).states[:, 0] for _ in range(20)]).unique()
    assert seen.tolist() == [*range(4, 16), *range(100, 116)]
    held_out = replay.in_order(first=4)
    assert held_out.states[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]
    expected = parts.unexplained(agent.parts.critic, held_out, agent.method.gamma)
    assert warm_up.error(agent, replay) == expected


def test_a_trust_region_bounds_the_actions_of_the_agent(build, prior, demonstrations):
    agent = build("nppac", prior_scale=0.25, **BEYOND)
    for parameter in agent.parts.policy.net.body.parameters():
        parameter.data.fill_(1e3)
    states = demonstrations.states[:20]
    mean, std = prior.moments(states)
    shift = torch.from_numpy(agent.act(states, deterministic=True)) - mean
    reach = 0.25 * std.minimum(agent.std_on_data)
    torch.testing.assert_close(shift.abs(), reach, rtol=1e-4, atol=1e-6)


def test_minibatches_have_their_share_of_demonstrations(build):
    agent = build("nppac", **BEYOND)
    generator = torch.Generator().manual_seed(0)
    replay = agent.make_replay(30, 1, generator)
    zeros = torch.zeros(1, 4).numpy()
    flag = torch.zeros(1, dtype=torch.bool).numpy()
    replay.add(Step(zeros, zeros[:, :2], zeros[:, 0], flag, flag, zeros))
    batch = replay.sample_transitions(40)
    assert (batch.states.abs().sum(1) > 0).sum() == 10
    assert build("nppac").make_replay(30, 1, generator).n_demonstrated == 0


@pytest.mark.slow
def test_the_unit_of_rewards_does_not_matter(build, demonstrations, doubled):
    """Powers of two round alike, so that nothing but their unit differs."""

    def actions(unit):
        agent = build("nppac", **BEYOND).double()
        replay = agent.make_replay(1, 1, torch.Generator().manual_seed(1))
        rewards = replay.layout.column("rewards")
        replay._rows[:, rewards] *= unit
        for _ in range(2_000):
            agent.step(doubled(replay.sample_transitions(32)))
        states = torch.as_tensor(demonstrations.states).double()
        prior = DiagonalGaussian(*(m.double() for m in agent.prior.moments(demonstrations.states)))
        return agent.parts.policy(states, prior).mean.detach(), agent.parts.critic.unit.item()

    (usual, unit), (small, small_unit), (large, large_unit) = map(actions, (1.0, 1 / 128, 128.0))
    assert unit == pytest.approx(1.0)
    assert (small_unit, large_unit) == (unit / 128, unit * 128)
    torch.testing.assert_close(small, usual, rtol=0, atol=1e-12)
    torch.testing.assert_close(large, usual, rtol=0, atol=1e-12)


def test_two_bounds_of_the_divergence_are_refused():
    with pytest.raises(ValidationError, match="target_kl and kl_budget"):
        NPPAC(target_kl=1.0, kl_budget=0.1)


@pytest.mark.parametrize("start", ["fresh", "distilled"])
def test_a_trust_region_needs_a_residual_policy(start):
    with pytest.raises(ValidationError, match="trust_region needs start 'residual'"):
        NPPAC(trust_region=1.0, start=start)


def test_a_trust_region_needs_demonstrations(spaces, prior, generator):
    with pytest.raises(ConfigError, match=r"needs demonstrations \(.*trust_region\)"):
        NPPAC(standardise_states=False).build(spaces, prior, None, generator=generator)


@pytest.mark.parametrize("start", ["distilled", "fresh"])
def test_other_starts_have_the_papers_settings_by_default(start):
    config = NPPAC(start=start, batch_size=7)
    assert PUBLISHED.items() <= (config.model_dump() | {"batch_size": 1024}).items()
    assert config.batch_size == 7
    assert NPPAC.model_validate(config.model_dump()) == config
    ours = NPPAC().model_dump()
    assert all(ours[field] != theirs for field, theirs in PUBLISHED.items()), "or it says nothing"
