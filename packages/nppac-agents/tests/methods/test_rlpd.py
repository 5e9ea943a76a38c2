import pytest
import torch
from nppac_agents.methods.rlpd import RLPD
from pydantic import ValidationError

PLAIN = {
    "target_subset": 2, "n_critics": 2, "entropy_backup": True, "critic_layer_norm": False,
    "critic_updates_per_actor_update": 1, "target_entropy": -1.0, "demonstration_share": 0.0,
}  # fmt: skip


def test_with_two_critics_and_one_update_its_critics_are_sacs(
    build, random_batch, randomise, doubled, critic_target
):
    sac, rlpd = (randomise(agent).double() for agent in (build("sac"), build("rlpd", **PLAIN)))
    targets = []
    for agent in (sac, rlpd):
        agent.noise.manual_seed(1)
        targets.append(critic_target(agent, doubled(random_batch())))
    torch.testing.assert_close(*targets)


def test_with_one_critic_its_actor_is_sacs(build, random_batch, randomise, doubled, actor_loss):
    rlpd = randomise(build("rlpd", **(PLAIN | {"n_critics": 1, "target_subset": 1}))).double()
    batch = doubled(random_batch())
    rlpd.noise.manual_seed(1)
    loss = actor_loss(rlpd, batch)
    rlpd.noise.manual_seed(1)
    actions, log_prob = rlpd.parts.policy(batch.states).sample(rlpd.noise)
    expected = (
        rlpd.parts.temperature.value() * log_prob - rlpd.parts.critic(batch.states, actions).amin(0)
    ).mean()
    torch.testing.assert_close(loss, expected)


def test_the_target_is_the_minimum_of_a_random_subset(
    build, random_batch, randomise, doubled, ending, critic_target
):
    agent = randomise(build("rlpd", n_critics=5, target_subset=2)).double()
    batch = ending(agent, doubled(random_batch(2)), terminated=[1.0, 0.0])
    backed_up = set()
    for _ in range(6):
        noise = agent.noise.get_state()
        actions, _ = agent.parts.policy(batch.next_states).sample(agent.noise)
        chosen = agent.parts.critic.random_members(2, agent.noise)
        values = agent.parts.critic.slow(batch.next_states, actions)
        lowest = values[chosen].min(0).values
        expected = batch.rewards + 0.99 * torch.tensor([0.0, 1.0]).double() * lowest
        agent.noise.set_state(noise)
        torch.testing.assert_close(critic_target(agent, batch), expected.detach())
        backed_up.add(bool(lowest[1] > values[:, 1].min()))
    assert True in backed_up, "the lowest critic of all is not always in the subset"


def test_subsets_are_uniform_over_pairs(build):
    agent = build("rlpd", n_critics=4)
    pairs = [
        tuple(sorted(agent.parts.critic.random_members(2, agent.noise).tolist()))
        for _ in range(6_000)
    ]
    counts = [pairs.count(pair) for pair in set(pairs)]
    assert len(counts) == 6
    assert min(counts) > 880
    assert max(counts) < 1_120


def test_the_actor_ascends_the_mean_of_all_critics(build, random_batch, randomise, doubled):
    agent = randomise(build("rlpd", n_critics=5)).double()
    batch = doubled(random_batch())
    noise = agent.noise.get_state()
    policy, _, value = agent.method.judged(agent, batch)
    agent.noise.set_state(noise)
    actions, _ = policy.sample(agent.noise)
    members = [
        agent.parts.critic(batch.states, actions, torch.tensor([critic])) for critic in range(5)
    ]
    torch.testing.assert_close(value, torch.cat(members).mean(0))


def test_the_actor_moves_with_the_last_of_each_group_of_critic_updates(build, random_batch):
    agent = build("rlpd", n_critics=2, critic_updates_per_actor_update=3)
    moved = ["actor_loss" in agent.step(random_batch(seed=update)) for update in range(6)]
    assert moved == [False, False, True] * 2


def test_half_of_a_minibatch_is_demonstrated(build):
    from nppac_agents.data.rollouts import Step

    agent = build("rlpd", n_critics=2)
    replay = agent.make_replay(100, 1, torch.Generator().manual_seed(0))
    no = torch.zeros(1, dtype=torch.bool).numpy()
    states, actions = torch.zeros(1, 4).numpy(), torch.zeros(1, 2).numpy()
    replay.add(Step(states, actions, torch.full((1,), 9.0).numpy(), no, no, states))
    assert (replay.sample_transitions(agent.method.batch_size).rewards == 9).sum() == 16


def test_a_subset_larger_than_the_ensemble_is_refused():
    with pytest.raises(ValidationError, match="target_subset 3 is above n_critics 2"):
        RLPD(n_critics=2, target_subset=3)
