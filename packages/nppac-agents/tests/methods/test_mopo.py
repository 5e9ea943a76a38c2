from dataclasses import replace

import numpy as np
import pytest
import torch
from nppac_agents.methods.mopo import MOPO
from nppac_priors.errors import ConfigError
from pydantic import ValidationError

QUICK = {"model_hidden": (16,), "model_members": 3, "model_elites": 2, "rollouts_per_update": 2,
         "rollout_length": 2, "kept_updates": 3}  # fmt: skip


def imagined(agent):
    """What it has imagined so far, in order."""
    ring = agent.parts.model.imagined
    return agent.layout.unpack(ring.rows[: int(ring.written)])


def test_the_rollouts_by_hand_on_two_samples(build, randomise, random_batch, doubled):
    agent = randomise(build("mopo", penalty=0.7, **QUICK)).double()
    starts, model = doubled(random_batch(2)).states, agent.parts.model
    before = agent.noise.get_state()
    losses = agent.method.imagine(agent, starts)
    agent.noise.set_state(before)
    states, paid = starts, []
    for step in range(2):
        policy = agent.parts.policy(states)
        noise = torch.randn(2, 2, generator=agent.noise, dtype=torch.float64)
        actions = (policy.mean + policy.std * noise).tanh()
        means, stds = model.net(states, actions)
        members = torch.randint(2, (2,), generator=agent.noise)
        noise = torch.randn(2, 5, generator=agent.noise, dtype=torch.float64)
        outcome = torch.stack(
            [means[m, row] + stds[m, row] * noise[row] for row, m in enumerate(members)]
        )
        price = 0.7 * stds.square().sum(2).sqrt().amax(0)
        got = imagined(agent)[2 * step : 2 * step + 2]
        torch.testing.assert_close(got.states, states)
        torch.testing.assert_close(got.actions, actions.detach())
        torch.testing.assert_close(got.rewards, (outcome[:, 0] - price).detach())
        torch.testing.assert_close(got.next_states, (states + outcome[:, 1:]).detach())
        torch.testing.assert_close(got.discounts, torch.full((2,), 0.99).double())
        states, paid = got.next_states, [*paid, price]
    torch.testing.assert_close(losses["penalty"], torch.stack(paid).mean().detach())


def test_without_a_penalty_it_is_paid_what_the_model_says(build, randomise, random_batch):
    rewards = {}
    for penalty in (0.0, 2.0):
        agent = randomise(build("mopo", penalty=penalty, **QUICK | {"rollout_length": 1}))
        starts = random_batch(2).states
        agent.method.imagine(agent, starts)
        rewards[penalty] = imagined(agent).rewards
        _, stds = agent.parts.model.net(starts, imagined(agent).actions)
    spread = stds.detach().norm(dim=2).amax(0)
    torch.testing.assert_close(rewards[0.0] - rewards[2.0], 2 * spread)


def test_what_is_imagined_outside_is_an_end_and_its_rollout_begins_anew(build, random_batch):
    rule = ((1, -0.3, 0.6),)
    agent = build("mopo", ends_outside=rule, **QUICK | {"rollouts_per_update": 32})
    starts = random_batch(32).states
    agent.method.imagine(agent, starts)
    first, second = imagined(agent)[:32], imagined(agent)[32:]
    outside = (first.next_states[:, 1] < -0.3) | (first.next_states[:, 1] > 0.6)
    assert 5 < outside.sum() < 27
    assert torch.equal(first.terminated, outside.float())
    assert (first.discounts[outside] == 0).all()
    assert (first.discounts[~outside] == np.float32(0.99)).all()
    assert torch.equal(second.states[outside], starts[outside])
    assert torch.equal(second.states[~outside], first.next_states[~outside])


@pytest.mark.parametrize(("share", "real"), [(0.0, 0), (0.05, 2), (0.5, 20), (1.0, 40)])
def test_the_minibatch_has_a_share_of_the_replays(build, random_batch, share, real):
    agent = build("mopo", real_share=share, **QUICK)
    batch = random_batch(40)
    agent.method.imagine(agent, batch.states[:2])
    mixed = agent.method.mixed(agent, batch)
    assert mixed.states.shape == (40, 4)
    assert torch.equal(mixed.rewards[:real], batch.rewards[:real])
    known = imagined(agent).rewards
    assert all(reward in known for reward in mixed.rewards[real:])


def test_with_the_replays_alone_it_is_soft_actor_critic(build, random_batch, monkeypatch):
    monkeypatch.setattr(MOPO, "imagine", lambda *_: {})
    shared = {"target_entropy": -0.5, "seed": 3}
    mopo, sac = build("mopo", real_share=1.0, **QUICK, **shared), build("sac", **shared)
    for name in ("policy", "critic"):
        getattr(sac.parts, name).load_state_dict(getattr(mopo.parts, name).state_dict())
    batch = random_batch()
    mopo.noise.manual_seed(1)
    sac.noise.manual_seed(1)
    assert mopo.step(batch) == sac.step(batch)
    assert all(map(torch.equal, mopo.parts.policy.weights, sac.parts.policy.weights))


def test_rollouts_start_at_the_first_states_of_the_minibatch(build, random_batch):
    agent, batch = build("mopo", **QUICK), random_batch(8)
    agent.step(batch)
    assert torch.equal(imagined(agent).states[:2], batch.states[:2])


def test_the_model_is_fitted_first_until_its_error_falls_no_further(build):
    agent = build("mopo", model_updates=20_000, offline_updates=7, **QUICK)
    phases = [(phase.name, phase.length) for phase in agent.phases]
    assert phases == [("model", 20_000), ("offline", 7), ("online", None)]
    fit = agent.phases[0]
    first = fit.error(agent, None)
    for _ in range(250):
        losses = agent.learn(fit, None)
    assert fit.error(agent, None) < 0.7 * first
    assert {"model_loss", "model_grad_norm"} == losses.keys()
    assert agent.updates == 0


def test_what_is_held_out_is_never_fitted(build, monkeypatch):
    agent = build("mopo", **QUICK)
    known, held_out = set(), set()
    rows = {tuple(row.tolist()): index for index, row in enumerate(agent.demonstrated)}
    unpack = agent.layout.unpack
    monkeypatch.setattr(
        agent.layout,
        "unpack",
        lambda r: (seen.update(rows[tuple(x.tolist())] for x in r), unpack(r))[1],
    )
    seen = known
    for _ in range(20):
        agent.phases[0].batch(agent, None)
    seen = held_out
    agent.phases[0].error(agent, None)
    assert held_out == set(range(4, 100, 5))
    assert known == set(range(100)) - held_out


def test_the_models_loss_by_hand_on_two_samples(build, random_batch, randomise, doubled):
    agent = randomise(build("mopo", batch_size=6, **QUICK)).double()
    batch, net = doubled(random_batch(2)), agent.parts.model.net
    before = agent.noise.get_state()
    rows = torch.randint(2, (3, 6), generator=agent.noise)
    change = batch.next_states - batch.states
    outcomes = torch.cat([batch.rewards[:, None], change], 1)
    expected = net.loss(batch.states[rows], batch.actions[rows], outcomes[rows]) / 3
    agent.noise.set_state(before)
    got = agent.method.fit_model(agent, batch)["model_loss"]
    torch.testing.assert_close(got, expected)
    assert len({tuple(of.tolist()) for of in rows}) == 3, "each member on draws of its own"


@pytest.mark.parametrize("refit", [False, True])
def test_the_model_goes_on_learning_where_it_is_told_to(build, random_batch, refit):
    agent = build("mopo", refit_model=refit, **QUICK)
    before = agent.parts.model.flat.clone()
    agent.step(random_batch())
    assert torch.equal(before, agent.parts.model.flat) != refit


def test_a_task_with_ends_needs_their_rule(spaces, demonstrations, generator):
    ends = np.array([True, False, False, True, False])
    given = replace(demonstrations, terminations=ends)
    with pytest.raises(ConfigError, match="ends_outside: 2 demonstrations end in a terminal state"):
        MOPO().build(spaces, None, given, generator=generator)
    ruled = MOPO(**QUICK, ends_outside=((0, -1.0, 1.0),))
    ruled.build(spaces, None, given, generator=generator)
    beyond = MOPO(ends_outside=((4, -1.0, 1.0),))
    with pytest.raises(ConfigError, match="there is no observation 4, they end with 3"):
        beyond.build(spaces, None, given, generator=generator)


@pytest.mark.parametrize("largest", [-1.0, -1.5])
def test_a_rule_that_every_state_breaks_is_refused(largest):
    with pytest.raises(ValueError, match=r"ends_outside: \[0, -1, -1.*\] holds no value"):
        MOPO(ends_outside=((0, -1.0, largest),))


def test_too_few_transitions_are_refused(spaces, demonstrations, generator):
    few = replace(
        demonstrations.take(1), **{
            name: getattr(demonstrations, name)[:4]
            for name in ("states", "actions", "rewards", "successes")
        }, episode_lengths=np.array([4]),
    )  # fmt: skip
    with pytest.raises(ConfigError, match="there are 4 demonstrated transitions"):
        MOPO().build(spaces, None, few, generator=generator)


def test_settings_that_do_not_go_together_are_refused():
    with pytest.raises(ValidationError, match="model_elites 5 is above model_members 3"):
        MOPO(model_members=3)
    with pytest.raises(ValidationError, match="set n_steps to 1"):
        MOPO(refit_model=True, n_steps=3)
