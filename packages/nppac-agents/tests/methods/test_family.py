"""What holds for every built-in agent; `test_conformance` has what holds for any method."""

from dataclasses import replace

import pytest
import torch
from method_table import METHODS
from nppac_agents import ActorCritic
from nppac_agents.experiment.registries import agent_registry
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium

WITH_SLOW_CRITICS = [
    kind for kind in METHODS if isinstance(agent_registry().get(kind)(), ActorCritic)
]
OFF_POLICY = [kind for kind in METHODS if agent_registry().get(kind).trainer == "off-policy"]
FROM_DEMONSTRATIONS = [
    kind for kind in METHODS if agent_registry().get(kind)().demonstrations_in_replay
]


def test_every_builtin_agent_is_tested_here():
    builtin = {
        kind for kind, part in agent_registry().components.items()
        if part.distribution == "nppac-agents"
    }  # fmt: skip
    assert builtin == set(METHODS)


ROLLOUTS = {
    "awac": {"rollout_steps": 7},
    "nppac": {"rollout_steps": 7, "prior_rounds": 3},
    "wsrl": {"rollout_steps": 7},
}


@pytest.mark.parametrize("kind", METHODS)
def test_the_steps_that_are_only_collected_are_known_without_an_agent(build, kind):
    agent = build(kind, **METHODS[kind].small | ROLLOUTS.get(kind, {}))
    collecting = [one.length for one in agent.phases if one.interacts and one.update is None]
    assert agent.method.collected_steps() == max(collecting, default=0)
    assert bool(collecting) == (kind in ROLLOUTS)


@pytest.mark.parametrize("kind", METHODS)
def test_whether_it_learns_without_interaction_is_known_without_an_agent(build, kind):
    fields = agent_registry().get(kind).model_fields
    for updates in (0, 1) if "offline_updates" in fields else (None,):
        settings = {} if updates is None else {"offline_updates": updates}
        agent = build(kind, **METHODS[kind].small | settings)
        alone = any(one.name == "offline" for one in agent.phases)
        assert agent.method.learns_offline() == alone == (kind == "bc" or bool(updates))


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
        for update in range(10):
            agent.step(random_batch(seed=update))
        return sum(p.square().sum().item() for p in getattr(agent.parts, part).weights)

    assert squares(1.0) < 0.995 * squares(0.0)


@pytest.mark.parametrize("kind", WITH_SLOW_CRITICS)
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
def test_a_method_reports_its_losses_and_every_part_steps(build, random_batch, kind):
    agent = build(kind, **METHODS[kind].small)
    agent.prepare()
    batch = random_batch(prior_std=0.1 if agent.method.uses_prior else None)
    losses = {}
    for _ in range(5):
        losses |= agent.step(batch)
    expected = {"actor_loss", "actor_grad_norm"}
    if kind not in ("bcq", "mbop"):  # they have no distribution with a standard deviation
        expected.add("actor_std")
    assert expected | METHODS[kind].logs <= losses.keys()
    stepped = {name.split(".")[1] for name in agent.state() if name.startswith("optimizer")}
    assert stepped == set(agent.parts._fields)


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
