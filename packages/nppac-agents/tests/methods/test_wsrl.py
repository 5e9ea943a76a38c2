from dataclasses import replace

import pytest
import torch
from nppac_agents.methods.wsrl import WSRL
from pydantic import ValidationError

QUICK = {"n_critics": 5, "conservative_samples": 2, "backup_samples": 3}


@pytest.mark.parametrize("updates", [0, 7])
def test_the_target_by_hand_on_two_samples(
    build, random_batch, randomise, ending, doubled, critic_target, updates
):
    agent = randomise(build("wsrl", gamma=0.9, offline_updates=7, **QUICK)).double()
    agent.updates = updates
    batch = ending(agent, doubled(random_batch(2)), terminated=[1.0, 0.0])
    policy = agent.parts.policy(batch.next_states)
    size = 3 if updates < 7 else 1
    lowest_of_all = set()
    for _ in range(6):
        before = agent.noise.get_state()
        noise = torch.randn(size, 2, 2, generator=agent.noise, dtype=torch.float64)
        chosen = torch.randperm(5, generator=agent.noise)[:2]
        values = [
            agent.parts.critic.slow(batch.next_states, (policy.mean + policy.std * one).tanh())
            for one in noise
        ]
        best = torch.stack([value[chosen].min(0).values for value in values]).max(0).values
        target = batch.rewards + 0.9 * torch.tensor([0.0, 1.0]).double() * best
        agent.noise.set_state(before)
        torch.testing.assert_close(critic_target(agent, batch), target.detach())
        lowest = torch.stack([value.min(0).values for value in values]).max(0).values
        lowest_of_all.add(bool(lowest[1] == best[1]))
    assert False in lowest_of_all, "the lowest critic of all is not always in the subset"


def test_conservative_until_the_offline_updates_are_over(build, random_batch):
    agent = build("wsrl", offline_updates=2, critic_updates_per_actor_update=3, **QUICK)
    reported = [agent.step(random_batch(seed=update)) for update in range(6)]
    assert ["conservative_gap" in losses for losses in reported] == [True] * 2 + [False] * 4
    moved = ["actor_loss" in losses for losses in reported]
    assert moved == [True, True, True, False, False, True]


def test_online_the_critics_learn_from_squared_errors_alone(
    build, random_batch, randomise, doubled, critic_target
):
    agent = randomise(build("wsrl", offline_updates=0, **QUICK)).double()
    batch = doubled(random_batch(2))
    values = agent.parts.critic(batch.states, batch.actions)
    before = agent.noise.get_state()
    expected = (values - critic_target(agent, batch)).square().mean(1).sum()
    agent.noise.set_state(before)
    losses = agent.step(batch)
    torch.testing.assert_close(losses["critic_loss"], expected.detach())


def test_the_actor_ascends_the_lowest_of_all_critics(build, randomise, random_batch, doubled):
    agent = randomise(build("wsrl", **QUICK)).double()
    batch = doubled(random_batch())
    noise = agent.noise.get_state()
    policy, _, value = agent.method.judged(agent, batch)
    agent.noise.set_state(noise)
    values = agent.parts.critic(batch.states, policy.sample(agent.noise)[0])
    assert len(values) == 5
    torch.testing.assert_close(value, values.min(0).values)


def test_the_demonstrations_are_gone_once_it_interacts(build, demonstrations):
    from nppac_agents.data.rollouts import Step

    marked = replace(demonstrations, rewards=demonstrations.rewards * 0 + 9.0)
    agent = WSRL(policy_hidden=(16,), critic_hidden=(16,), **QUICK).build(
        build("sac").spaces, None, marked, generator=torch.Generator().manual_seed(0)
    )
    replay = agent.make_replay(100, 1, torch.Generator().manual_seed(0))
    assert (replay.sample_transitions(64).rewards == 9).all()
    no = torch.zeros(1, dtype=torch.bool).numpy()
    states, actions = torch.zeros(1, 4).numpy(), torch.zeros(1, 2).numpy()
    replay.add(Step(states, actions, torch.ones(1).numpy(), no, no, states))
    assert (replay.sample_transitions(64).rewards == 1).all()


def test_rollouts_come_between_offline_and_online():
    phases = WSRL(offline_updates=5, rollout_steps=40).phases(None)
    assert [(phase.name, phase.length) for phase in phases] == [
        ("offline", 5),
        ("rollouts", 40),
        ("online", None),
    ]


def test_a_subset_larger_than_the_ensemble_is_refused():
    with pytest.raises(ValidationError, match="target_subset 3 is above n_critics 2"):
        WSRL(n_critics=2, target_subset=3)
