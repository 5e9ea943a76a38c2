import pytest
import torch
from nppac_agents.data.rollouts import Step


def test_without_demonstrations_in_the_replay_it_is_sac(build, random_batch):
    sac, sacfd = build("sac"), build("sacfd")
    for update in range(20):
        sac.step(random_batch(seed=update))
        sacfd.step(random_batch(seed=update))
    for (name, one), (_, other) in zip(
        sac.named_parameters(), sacfd.named_parameters(), strict=True
    ):
        assert torch.equal(one, other), name


def test_the_replay_is_one_pool_of_demonstrations_and_interaction(build, demonstrations):
    agent = build("sacfd")
    replay = agent.make_replay(100, 1, torch.Generator().manual_seed(0))
    first = replay.sample_transitions(10_000).rewards.mean().item()
    assert first == pytest.approx(demonstrations.rewards.mean(), abs=0.03), "theirs, from the start"
    no = np_false = torch.zeros(1, dtype=torch.bool).numpy()
    for _ in range(50):
        replay.add(Step(*(torch.zeros(1, w).numpy() for w in (4, 2)), torch.full((1,), 9.0).numpy(),
                        no, np_false, torch.zeros(1, 4).numpy()))  # fmt: skip
    share = (replay.sample_transitions(100_000).rewards == 9).float().mean().item()
    expected = 50 / (50 + len(demonstrations))
    assert abs(share - expected) < 0.01


def test_cloning_makes_the_demonstrated_actions_likelier(build, demonstrations):
    agent = build("sacfd", cloning_updates=300, policy_learning_rate=1e-2)
    phase, online = agent.phases
    assert (phase.name, phase.length, online.name) == ("pretrain", 300, "online")
    replay = agent.make_replay(1, 1, torch.Generator())
    losses = [agent.learn(phase, replay)["actor_loss"].item() for _ in range(300)]
    assert sum(losses[-10:]) < sum(losses[:10])
    error = agent.act(demonstrations.states, deterministic=True) - demonstrations.actions
    assert (error.std(0) < 0.7 * demonstrations.actions.std(0)).all(), "each in its own state"
