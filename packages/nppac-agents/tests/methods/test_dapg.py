from dataclasses import replace

import numpy as np
import pytest
import torch
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.methods.dapg import DAPG
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.testing import tianshou_trainer
from nppac_priors.errors import ConfigError

EXACT = {
    "policy_hidden": (4,),
    "conjugate_gradient_iterations": 500,
    "damping": 1e-2,
    "lowest_log_std": -9.0,
}
"""Enough products to solve for the step, which the tests solve for by a dense matrix."""


@pytest.fixture
def exact(build):
    """An agent in float64, its demonstrations too."""

    def exact(**settings):
        agent = build("dapg", **(EXACT | settings)).double()
        agent.demonstrated = agent.demonstrated.double()
        return agent

    return exact


def network_of(agent):
    return agent.parts.policy.net


def demonstrated_by(agent):
    batch = agent.layout.unpack(agent.demonstrated)
    return batch.states, batch.actions


def parameters_of(agent):
    return torch.cat([p.detach().flatten() for p in network_of(agent).parameters()])


def dense_fisher(network, states):
    """J' diag(1 / std^2) J over means and 2 I over log stds, which is the whole of it here."""
    names = [name for name, _ in network.named_parameters()]
    sizes = [p.numel() for p in network.parameters()]
    means = network.mode(states)
    rows = []
    for entry in means.flatten():
        gradients = torch.autograd.grad(
            entry, list(network.parameters()), retain_graph=True, allow_unused=True
        )
        filled = [
            torch.zeros(size).double() if g is None else g.flatten()
            for g, size in zip(gradients, sizes, strict=True)
        ]
        rows.append(torch.cat(filled))
    jacobian = torch.stack(rows) / network(states).std.detach().reshape(-1, 1)
    fisher = jacobian.T @ jacobian / len(states)
    start = sum(sizes[: names.index("log_std")])
    own = torch.arange(start, start + network.log_std.numel())
    fisher[own, own] += 2.0
    return fisher


def dense_step(agent, states, gradient):
    damped = dense_fisher(network_of(agent), states) + 1e-2 * torch.eye(len(gradient)).double()
    direction = torch.linalg.solve(damped, gradient)
    return (agent.method.step_size / (gradient @ direction)).sqrt() * direction


def gradient_of(scalar, agent):
    gradients = torch.autograd.grad(scalar, list(network_of(agent).parameters()))
    return torch.cat([g.flatten() for g in gradients])


# The identities.


@pytest.mark.medium
def test_without_demonstration_weight_it_is_the_natural_policy_gradient(
    exact, random_batch, doubled, randomise
):
    agent = randomise(exact(demonstration_weight=0.0))
    batch = doubled(random_batch(200))
    generator = torch.Generator().manual_seed(1)
    advantages = torch.randn(200, generator=generator, dtype=torch.float64)
    normal = torch.distributions.Normal(network_of(agent).mode(batch.states),
                                        network_of(agent).log_std.exp())  # fmt: skip
    gradient = gradient_of((advantages * normal.log_prob(batch.actions).sum(1)).mean(), agent)
    before, expected = parameters_of(agent), dense_step(agent, batch.states, gradient)
    agent.method.policy_step(agent, batch, advantages)
    taken = parameters_of(agent) - before
    assert (taken - expected).norm() < 1e-3 * expected.norm()


@pytest.mark.medium
def test_without_advantage_it_is_a_natural_gradient_step_of_cloning(
    exact, random_batch, doubled, randomise
):
    agent = randomise(exact())
    for parameter in agent.parts.baseline.net.parameters():
        parameter.data.zero_()
    batch = replace(doubled(random_batch(200)), rewards=torch.zeros(200).double())
    states, actions = demonstrated_by(agent)
    normal = torch.distributions.Normal(
        network_of(agent).mode(states), network_of(agent).log_std.exp()
    )
    gradient = gradient_of(normal.log_prob(actions).sum(1).mean(), agent)
    before, expected = parameters_of(agent), dense_step(agent, batch.states, gradient)
    agent.step(batch)
    taken = parameters_of(agent) - before
    assert (taken - expected).norm() < 1e-3 * expected.norm()


def test_the_step_goes_as_far_as_the_quadratic_model_says(exact, random_batch, doubled, randomise):
    """Up to the third order: the relative error is of the order of the square root of delta."""

    def error(step_size):
        agent = randomise(exact(damping=1e-6, step_size=step_size))
        kl = agent.step(doubled(random_batch(200)))["step_kl"].item()
        return abs(kl / (0.5 * step_size) - 1.0)

    errors = [error(step_size) for step_size in (1e-2, 1e-4, 1e-6)]
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < 0.1
    assert errors[2] < 0.01


def test_the_surrogate_by_hand_on_two_samples(exact, random_batch, doubled, randomise):
    agent = randomise(exact(demonstration_weight=0.3, demonstration_decay=0.5))
    agent.updates = 2
    batch = doubled(random_batch(2))
    advantages = torch.tensor([1.0, -2.0]).double()
    states, actions = demonstrated_by(agent)

    def log_density(states, actions):
        mean, log_std = network_of(agent).mode(states), network_of(agent).log_std
        squares = ((actions - mean) / log_std.exp()) ** 2
        return (-0.5 * squares - log_std - 0.5 * np.log(2 * np.pi)).sum(1)

    taken = log_density(batch.states, batch.actions)
    expected = 0.5 * (taken[0] - 2.0 * taken[1]) + 0.5 * 0.075 * log_density(states, actions).sum()
    torch.testing.assert_close(agent.method.surrogate(agent, batch, advantages), expected)


def test_the_weight_of_the_demonstrations_decays_from_update_to_update(build, random_batch):
    agent = build("dapg", demonstration_weight=0.2, demonstration_decay=0.5)
    weights = [agent.step(random_batch())["demonstration_weight"].item() for _ in range(3)]
    assert weights == pytest.approx([0.2, 0.1, 0.05])


def test_the_log_std_stays_above_its_floor(build, random_batch):
    agent = build("dapg", step_size=5.0, lowest_log_std=-2.0)
    quiet = random_batch()
    quiet = replace(quiet, actions=network_of(agent).mode(quiet.states).detach())
    for _ in range(5):
        agent.method.policy_step(agent, quiet, torch.ones(32))
    assert network_of(agent).log_std.min() == -2.0


# Values.


@pytest.mark.medium
def test_the_baseline_learns_what_is_left_of_the_episode(build):
    """Reward 1 in each of 600 steps, then the end: only the time tells what is still to come."""
    agent = build("dapg", critic_epochs=150, critic_learning_rate=1e-2, critic_weight_decay=0.0,
                  critic_hidden=(32,), batch_size=200)  # fmt: skip
    times = torch.arange(600.0)
    returns = (1 - 0.99 ** (600 - times)) / (1 - 0.99)
    states = torch.zeros(600, 4)
    agent.method.baseline_step(agent, states, times, returns)
    with torch.no_grad():
        error = (agent.parts.baseline(states, times) - returns).square().mean()
    assert error < 0.1 * returns.var()


def test_a_cut_episode_has_a_future_and_a_terminated_one_has_none(build, random_batch, ending):
    agent = build("dapg", gamma=0.9)
    for parameter in agent.parts.baseline.net.parameters():
        parameter.data.zero_()
    agent.parts.baseline.net.body.layers[-1].bias.data.fill_(10.0)
    ones = replace(random_batch(3), rewards=torch.ones(3))
    last = [0.0, 0.0, 1.0]
    cut = agent.step(ending(agent, ones, truncated=last))["target_value"].item()
    agent.parts.baseline.net.load_state_dict({k: torch.zeros_like(v) for k, v in
                                    agent.parts.baseline.net.state_dict().items()})  # fmt: skip
    agent.parts.baseline.net.body.layers[-1].bias.data.fill_(10.0)
    over = agent.step(ending(agent, ones, terminated=last))["target_value"].item()
    assert cut == pytest.approx(10.0, rel=1e-5)
    assert over == pytest.approx((2.71 + 1.9 + 1.0) / 3, rel=1e-5)


def test_the_next_state_is_valued_a_step_later(build, random_batch, ending):
    """A baseline that says a tenth of the time: the cut episode is worth 0.3 after step 2."""
    agent = build("dapg", gamma=0.5, trace_decay=0.0, critic_epochs=1)
    baseline = agent.parts.baseline.net
    baseline.forward = lambda states, times: (
        0.1 * times + 0.0 * sum(parameter.sum() for parameter in baseline.parameters())
    )
    batch = ending(agent, random_batch(3), truncated=[0.0, 0.0, 1.0])
    target = agent.step(replace(batch, rewards=torch.zeros(3)))["target_value"].item()
    assert target == pytest.approx((0.125 + 0.25 + 0.5) * 0.3 / 3, rel=1e-4)


# Cloning.


@pytest.mark.medium
def test_cloning_fits_the_mean_and_leaves_the_spread(build):
    agent = build("dapg", cloning_epochs=150, cloning_learning_rate=3e-3)
    states, actions = demonstrated_by(agent)
    spread = actions.std(0, unbiased=False)
    agent.prepare()
    error = (network_of(agent).mode(states) - actions).square().mean().sqrt()
    assert error < 0.2, "the expert's noise has deviation 0.1 before it is clipped"
    torch.testing.assert_close(network_of(agent).log_std.detach().exp(), spread)


def test_an_epoch_of_cloning_is_as_long_as_the_demonstrations(build):
    phases = build("dapg", cloning_epochs=3, cloning_batch_size=32).phases
    assert [(phase.name, phase.length) for phase in phases] == [("pretrain", 12), ("online", None)]
    (online,) = build("dapg", cloning_epochs=0).phases
    assert online.name == "online"


def test_state_holds_its_scales_and_both_optimizers(build, random_batch):
    agent, other = (build("dapg", seed=seed, cloning_epochs=1) for seed in (0, 8))
    agent.prepare()
    agent.step(random_batch(seed=0))
    other.load_state({name: value.clone() for name, value in agent.state().items()})
    for one in (agent, other):
        one.prepare()
        one.step(random_batch(seed=9))
    stored, restored = agent.state(), other.state()
    network = {
        "action_shift",
        "action_scale",
        "standardiser.shift",
        "standardiser.scale",
        "log_std",
    }
    assert {f"part.policy.net.{name}" for name in network} <= set(stored)
    assert {"generator.noise", "generator.acting", "updates"} <= set(stored)
    assert stored.keys() == restored.keys()
    for name, value in stored.items():
        assert torch.equal(value, restored[name]), name


# With an environment.


@pytest.mark.medium
def test_on_the_point_task_it_improves_on_its_clone(build, point_config):
    agent = build("dapg", policy_hidden=(32, 32), critic_hidden=(128, 128), batch_size=64,
                  steps_per_update=600)  # fmt: skip
    agent.prepare()
    replay = agent.make_replay(600, 10, torch.Generator().manual_seed(0))
    rollouts = Rollouts(point_config, 10, agent, replay, seed=0)
    evaluator = Evaluator(point_config, 20)
    cloned = evaluator.evaluate(agent, range(1000, 1020)).means()["success_at_end"]
    for _ in range(9):
        for _ in range(60):
            rollouts.step()
        agent.learn(agent.phases[-1], replay)
    learned = evaluator.evaluate(agent, range(1000, 1020)).means()["success_at_end"]
    assert cloned < 0.5
    assert learned >= 0.85


def test_an_update_takes_all_and_the_replay_forgets(build, point_config):
    agent = build("dapg", steps_per_update=90)
    replay = agent.make_replay(90, 3, torch.Generator().manual_seed(0))
    rollouts = Rollouts(point_config, 3, agent, replay, seed=0)
    for _ in range(30):
        rollouts.step()
    batch = agent.phases[-1].batch(agent, replay)
    assert len(batch.states) == 90
    assert len(replay) == 0
    follows = (batch.terminated + batch.truncated)[:-1] == 0
    torch.testing.assert_close(batch.next_states[:-1][follows], batch.states[1:][follows])
    for _ in range(10):
        episodes = rollouts.step()
    assert [episode.length for episode in episodes] == [20, 20, 20], "the cut one goes on"


def test_a_replay_too_small_for_an_update_is_refused(build, generator):
    with pytest.raises(ConfigError, match=r"replay_capacity 100 is below the 102 steps"):
        build("dapg", steps_per_update=100).make_replay(100, 3, generator)


def test_it_learns_in_a_plain_tianshou_script(build, point_config):
    agent = build("dapg", steps_per_update=60)
    agent.prepare()
    replay = agent.make_replay(100, 2, torch.Generator().manual_seed(0))
    before = parameters_of(agent)
    agent.run_training(
        tianshou_trainer(agent, replay, point_config.make, steps=60, epoch_steps=180)
    )
    assert agent.updates == 3
    assert len(replay) == 0
    assert not torch.equal(parameters_of(agent), before)


def test_it_is_refused_without_demonstrations(spaces, generator):
    with pytest.raises(ConfigError, match="agent: 'dapg' needs demonstrations"):
        DAPG().build(spaces, None, None, generator=generator)
