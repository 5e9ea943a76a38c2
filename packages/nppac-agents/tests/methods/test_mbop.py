from dataclasses import replace

import pytest
import torch
from nppac_agents import MBOP
from nppac_agents.data.episode_columns import UNKNOWN
from nppac_priors.errors import ConfigError
from pydantic import ValidationError

QUICK = {"model_hidden": (16,), "value_hidden": (16,), "model_members": 4, "model_elites": 3,
         "trajectories": 6, "horizon": 2}  # fmt: skip


def standard(net, member, inputs, scales):
    """One member's answer in deviations of the data, layer by layer, from raw inputs."""
    mean, deviation = scales
    hidden = ((inputs - mean) / deviation).clamp(-10, 10)
    for layer, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        hidden = hidden @ weight[member] + bias[member, 0]
        if layer < len(net.weights) - 1:
            hidden = hidden.relu()
    return hidden


def scales_of(inputs):
    return inputs.mean(0), inputs.std(0, correction=0)


def test_the_behaviours_loss_by_hand_on_two_samples(build, random_batch, doubled):
    agent = build("mbop", batch_size=5, **QUICK).double()
    batch, net = doubled(random_batch(2)), agent.parts.policy.net
    shown = agent.layout.unpack(agent.demonstrated)
    before = torch.cat([shown.states, shown.extra["previous_actions"]], 1).double()
    scales, of_actions = scales_of(before), scales_of(shown.actions.double())
    start = agent.noise.get_state()
    rows = torch.randint(2, (3, 5), generator=agent.noise)
    named = torch.rand(3, 5, 1, generator=agent.noise) >= 0.5
    expected = 0.0
    for member in range(3):
        for draw, row in enumerate(rows[member]):
            previous = batch.extra["previous_actions"][row] * named[member, draw]
            seen = torch.cat([batch.states[row], previous])
            wanted = (batch.actions[row].clamp(-1, 1) - of_actions[0]) / of_actions[1]
            expected += (wanted - standard(net, member, seen, scales)).square().mean() / 15
    agent.noise.set_state(start)
    got = agent.method.behaviour_step(agent, batch)["actor_loss"]
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)
    assert {True, False} == set(named.flatten().tolist())


def test_the_values_loss_by_hand_on_two_samples_of_which_one_has_no_return_yet(
    build, random_batch, doubled
):
    agent = build("mbop", batch_size=5, **QUICK).double()
    batch, net = doubled(random_batch(2)), agent.parts.value.net
    ahead = torch.tensor([1.5, UNKNOWN], dtype=torch.float64)
    batch = replace(batch, extra=batch.extra | {"return_ahead": ahead})
    shown = agent.layout.unpack(agent.demonstrated)
    scales = scales_of(torch.cat([shown.states, shown.actions], 1).double())
    of_returns = scales_of(shown.extra["return_ahead"].double())
    start = agent.noise.get_state()
    rows = torch.randint(2, (3, 5), generator=agent.noise)
    seen = torch.cat([batch.states[0], batch.actions[0]])
    wanted = (1.5 - of_returns[0]) / of_returns[1]
    expected = sum(
        (wanted - standard(net, member, seen, scales)[0]).square() / 3
        for member in range(3) if 0 in rows[member]
    )  # fmt: skip
    agent.noise.set_state(start)
    got = agent.method.value_step(agent, batch)["value_loss"]
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


def test_the_models_loss_is_the_squared_error(build, random_batch, doubled):
    agent = build("mbop", batch_size=5, **QUICK).double()
    batch, model = doubled(random_batch(2)), agent.parts.model
    start = agent.noise.get_state()
    rows = torch.randint(2, (4, 5), generator=agent.noise)
    change = torch.cat([batch.rewards[:, None], batch.next_states - batch.states], 1)
    answers = model.net(batch.states[rows], batch.actions[rows])
    expected = ((change[rows] - answers) / model.net.scale).square().mean()
    agent.noise.set_state(start)
    got = agent.method.fit_model(agent, batch)["model_loss"]
    torch.testing.assert_close(got, expected.detach())


def test_the_model_is_asked_through_its_elites(build, random_batch):
    agent, batch = build("mbop", **QUICK), random_batch(6)
    model = agent.parts.model
    model.order.copy_(torch.tensor([2, 0, 3, 1]))
    states, actions = (x.view(3, 2, -1) for x in (batch.states, batch.actions))
    rewards, following = model.expected(states, actions)
    for rank, member in enumerate([2, 0, 3]):
        answer = model.net(states[rank], actions[rank])[member]
        torch.testing.assert_close(rewards[rank], answer[:, 0])
        torch.testing.assert_close(following[rank], states[rank] + answer[:, 1:])


def test_it_takes_the_first_action_of_its_plan(build, randomise, demonstrations):
    agent = randomise(build("mbop", rounds=2, **QUICK))
    states = torch.from_numpy(demonstrations.states[:5])
    noise = torch.randn(2, 2, 3, 2, 1, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = agent.method.planner(agent).plan(states, noise)[0]
    got = torch.from_numpy(agent.act(states.numpy(), deterministic=True))
    torch.testing.assert_close(got, expected)
    assert (got - torch.from_numpy(agent.act(states.numpy(), deterministic=False))).abs().max() > 0


def test_its_noise_is_in_deviations_of_the_datas_actions_and_its_value_the_members_mean(build):
    agent = build("mbop", sigma=0.5, **QUICK)
    planner, shown = agent.method.planner(agent), agent.layout.unpack(agent.demonstrated)
    torch.testing.assert_close(planner.sigma, 0.5 * shown.actions.std(0, correction=0))
    states, actions = shown.states[:6].view(3, 2, 4), shown.actions[:6].view(3, 2, 2)
    got = planner.value(states, actions)
    expected = agent.parts.value(shown.states[:6], shown.actions[:6]).mean(0).view(3, 2)
    torch.testing.assert_close(got, expected)


def test_with_no_horizon_it_is_an_ensemble_that_clones(build, randomise, demonstrations):
    agent = randomise(build("mbop", **QUICK | {"horizon": 0}))
    states = torch.from_numpy(demonstrations.states[:5])
    answers = agent.parts.policy(states, torch.zeros(5, 2))
    for deterministic in (True, False):
        got = agent.act(states.numpy(), deterministic=deterministic)
        torch.testing.assert_close(torch.from_numpy(got), answers.mean(0).clamp(-1, 1).detach())


def test_the_model_comes_first():
    phases = MBOP(model_updates=7, offline_updates=5).phases(None)
    assert [(phase.name, phase.length) for phase in phases] == [
        ("model", 7),
        ("offline", 5),
        ("online", None),
    ]


def test_a_plan_is_not_exported(build):
    agent = build("mbop", **QUICK)
    with pytest.raises(ConfigError, match=r"'mbop': .* cannot be exported"):
        agent.method.deployed(agent)


def test_trajectories_that_elites_cannot_share_are_refused():
    with pytest.raises(ValidationError, match="trajectories 7 cannot be shared by model_elites 5"):
        MBOP(trajectories=7)
