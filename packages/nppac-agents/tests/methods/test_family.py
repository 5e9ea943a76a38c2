"""What holds for every agent, whatever its method."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from method_table import METHODS
from nppac_agents.experiment.registries import agent_registry
from nppac_priors.errors import ConfigError
from tianshou.data import Collector
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OfflineTrainerParams, OffPolicyTrainerParams

pytestmark = pytest.mark.medium

OFF_POLICY = [kind for kind in METHODS if agent_registry().get(kind).trainer == "off-policy"]
FROM_DEMONSTRATIONS = [
    kind for kind in METHODS if agent_registry().get(kind)().demonstrations_in_replay
]


def learned(build, random_batch, kind, seed, updates):
    agent = build(kind, seed=seed, **METHODS[kind].small)
    agent.prepare()
    prior_std = 0.1 if agent.method.uses_prior else None
    for update in range(updates):
        agent.step(random_batch(seed=update, prior_std=prior_std))
    return agent


def test_every_builtin_agent_is_tested_here():
    builtin = {
        kind for kind, part in agent_registry().components.items()
        if part.distribution == "nppac-agents"
    }  # fmt: skip
    assert builtin == set(METHODS)


@pytest.mark.medium
@pytest.mark.parametrize("kind", METHODS)
def test_same_seed_same_parameters_and_another_seed_others(build, random_batch, kind):
    def parameters(seed):
        agent = learned(build, random_batch, kind, seed, updates=20)
        return torch.cat([p.detach().flatten() for p in agent.parameters()])

    assert torch.equal(parameters(1), parameters(1))
    assert not torch.equal(parameters(1), parameters(2))


@pytest.mark.parametrize("kind", METHODS)
def test_state_holds_everything_the_agent_learns_with(build, random_batch, kind):
    agent, other = (learned(build, random_batch, kind, seed, 5) for seed in (0, 8))
    other.load_state({name: value.clone() for name, value in agent.state().items()})
    prior_std = 0.1 if agent.method.uses_prior else None
    for update in range(5, 10):
        agent.step(random_batch(seed=update, prior_std=prior_std))
        other.step(random_batch(seed=update, prior_std=prior_std))
    stored, restored = agent.state(), other.state()
    assert stored.keys() == restored.keys()
    stepped = {name.split(".")[1] for name in stored if name.startswith("optimizer")}
    assert stepped == set(agent.parts._fields)
    for name, value in stored.items():
        assert torch.equal(value, restored[name]), name
    states = np.zeros((3, 4), dtype=np.float32)
    actions = [one.act(states, deterministic=False) for one in (agent, other)]
    assert np.array_equal(*actions)


@pytest.mark.parametrize(
    ("kind", "field", "part"),
    [
        ("awac", "policy_weight_decay", "policy"),
        ("bc", "policy_weight_decay", "policy"),
        ("dapg", "critic_weight_decay", "baseline"),
    ],
)
def test_weight_decay_draws_the_weights_it_names_to_zero(build, random_batch, kind, field, part):
    def squares(decay):
        agent = build(kind, **{field: decay})
        for update in range(30):
            agent.step(random_batch(seed=update))
        return sum(p.square().sum().item() for p in getattr(agent.parts, part).weights)

    assert squares(1.0) < 0.98 * squares(0.0)


@pytest.mark.parametrize("kind", OFF_POLICY)
def test_slow_critics_start_as_copies_and_follow(build, random_batch, kind):
    agent = build(kind, **METHODS[kind].small, tau=0.25)
    critic = agent.parts.critic
    pairs = list(zip(critic.slow.parameters(), critic.net.parameters(), strict=True))
    assert all(torch.equal(slow, fast) for slow, fast in pairs)
    before = [slow.clone() for slow, _ in pairs]
    for _ in range(METHODS[kind].follows_every):
        assert all(map(torch.equal, before, critic.slow.parameters()))
        agent.step(random_batch(prior_std=0.1 if agent.method.uses_prior else None))
    for old, (slow, fast) in zip(before, pairs, strict=True):
        torch.testing.assert_close(slow, 0.75 * old + 0.25 * fast.detach())


@pytest.mark.parametrize("kind", METHODS)
def test_losses_are_finite_scalars_without_gradient(build, random_batch, kind):
    agent = build(kind, **METHODS[kind].small)
    batch = random_batch(prior_std=0.1 if agent.method.uses_prior else None)
    losses = {}
    for _ in range(2):
        losses |= agent.step(batch)
    expected = {"actor_loss", "actor_grad_norm"}
    if kind != "bcq":  # it has no distribution with a standard deviation
        expected.add("actor_std")
    assert expected | METHODS[kind].logs <= losses.keys()
    for name, value in losses.items():
        assert value.shape == (), name
        assert value.isfinite(), name
        assert not value.requires_grad, name


@pytest.mark.parametrize("kind", OFF_POLICY)
def test_an_off_policy_agent_learns_in_a_plain_tianshou_script(build, point_config, kind):
    agent = build(kind, **METHODS[kind].small)
    replay = agent.make_replay(400, 2, torch.Generator().manual_seed(0))
    envs = DummyVectorEnv([point_config.make for _ in range(2)])
    before = [p.detach().clone() for p in agent.parts.policy.parameters()]
    agent.run_training(
        OffPolicyTrainerParams(
            training_collector=Collector(agent.policy, envs, replay),
            max_epochs=1,
            epoch_num_steps=60,
            collection_step_num_env_steps=10,
            update_step_num_gradient_steps_per_sample=0.5,
            batch_size=32,
            test_in_training=False,
            verbose=False,
            show_progress=False,
        )
    )
    assert agent.updates == 30
    after = agent.parts.policy.parameters()
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_cloning_runs_under_tianshous_offline_trainer(build):
    agent = build("bc")
    agent.run_training(
        OfflineTrainerParams(
            buffer=agent.make_replay(1, 1, torch.Generator().manual_seed(0)),
            max_epochs=1,
            epoch_num_steps=30,
            batch_size=32,
            verbose=False,
            show_progress=False,
        )
    )
    assert agent.updates == 30


@pytest.mark.parametrize("kind", FROM_DEMONSTRATIONS)
def test_who_learns_from_demonstrations_is_refused_without(spaces, kind, generator):
    config = agent_registry().get(kind)()
    with pytest.raises(ConfigError, match=f"agent: '{kind}' needs demonstrations"):
        config.build(spaces, None, None, generator=generator)


@pytest.mark.parametrize("kind", sorted(set(FROM_DEMONSTRATIONS) & set(OFF_POLICY)))
def test_who_learns_from_rewards_is_refused_where_they_are_unknown(
    spaces, demonstrations, kind, generator
):
    unknown = replace(demonstrations, rewards=None)
    with pytest.raises(ConfigError, match=f"agent: '{kind}' learns from rewards"):
        agent_registry().get(kind)().build(spaces, None, unknown, generator=generator)
