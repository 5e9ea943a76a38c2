"""Rounds in which the prior is fitted anew to the best episodes so far."""

import numpy as np
import pytest
import torch
from nppac_agents.data.best_episodes import expected_returns
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.methods.nppac import NPPAC
from nppac_agents.parts.part import Part
from pydantic import ValidationError

SETTINGS = {"policy_hidden": (16,), "critic_hidden": (16,), "staggered_resets": False}


@pytest.fixture
def make(spaces, prior, demonstrations):
    """An agent of two rounds of 120 steps."""

    def make(**settings):
        method = NPPAC(prior_rounds=2, rollout_steps=120, best_share=0.5, **SETTINGS, **settings)
        return method.build(
            spaces, prior, demonstrations, generator=torch.Generator().manual_seed(0)
        )

    return make


def collect(agent, env, steps=40):
    """A replay with two whole episodes of each of three environments."""
    replay = agent.make_replay(300, 3, torch.Generator().manual_seed(1))
    rollouts = Rollouts(env, 3, agent, replay, seed=0)
    for _ in range(steps):
        rollouts.step()
    return replay


def refit(agent, replay):
    return agent.learn(agent.phases[1], replay)


STATES = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)


def test_rollouts_and_fits_take_turns_before_the_policy_learns(make):
    phases = make().phases
    assert [(p.name, p.length) for p in phases] == [
        ("rollouts", 120), ("refit", 1), ("rollouts", 240), ("refit", 1), ("online", None)
    ]  # fmt: skip
    alone = NPPAC(rollout_steps=120, **SETTINGS)
    assert [p.name for p in alone.phases(make())] == ["rollouts", "online"]


@pytest.mark.parametrize(
    "settings", [{"rollout_steps": 0}, {"start": "fresh", "trust_region": None}]
)
def test_rounds_need_rollouts_of_a_residual_start(settings):
    with pytest.raises(ValidationError, match="prior_rounds needs start 'residual' and rollout"):
        NPPAC(**({"prior_rounds": 1, "rollout_steps": 100} | settings))


def test_the_policy_is_the_prior_of_the_best_half_of_all_episodes(
    make, prior_config, demonstrations, point_config
):
    agent = make()
    replay = collect(agent, point_config)
    lived = replay.in_order()
    pool = [(r.sum(), s, a) for r, s, a in zip(
        lived.rewards.split(20), lived.states.split(20), lived.actions.split(20), strict=True
    )]  # fmt: skip
    arrays = demonstrations.rewards, demonstrations.states, demonstrations.actions
    shown = [torch.from_numpy(np.asarray(array, dtype=np.float32)).split(20) for array in arrays]
    pool += [(r.sum(), s, a) for r, s, a in zip(*shown, strict=True)]
    starts = torch.stack([states[0] for _, states, _ in pool])
    returns = torch.stack([total for total, _, _ in pool])
    ranks = (expected_returns(starts, returns) - returns).argsort(stable=True)
    best = [pool[index] for index in ranks[:5].tolist()]
    noise = torch.Generator().manual_seed(0)
    noise.set_state(agent.noise.get_state())
    told = refit(agent, replay)
    assert told["best_episodes"] == 5
    assert told["best_return"].item() == pytest.approx(float(sum(e[0] for e in best)) / 5, rel=1e-5)
    seed = int(torch.randint(2**62, (), generator=noise))
    expected = prior_config.fit(
        torch.cat([e[1] for e in best]),
        torch.cat([e[2] for e in best]).clamp(-1, 1),
        generator=torch.Generator().manual_seed(seed),
    )
    mean, std = expected.moments(torch.from_numpy(STATES))
    np.testing.assert_allclose(agent.act(STATES, deterministic=True), mean, atol=1e-5)
    torch.testing.assert_close(agent.moments(torch.from_numpy(STATES))[1], std)
    usual = expected.moments(torch.cat([e[1] for e in best]))[1].median(0).values
    torch.testing.assert_close(agent.std_on_data, usual)


def test_what_was_measured_on_the_old_prior_is_measured_on_the_new(make, point_config):
    agent = make(demonstration_share=0.5)
    before, width = agent.std_on_data.clone(), agent.demonstrated.clone()
    replay = collect(agent, point_config)
    agent.observed.moments(STATES)
    refit(agent, replay)
    torch.testing.assert_close(
        agent.observed.moments(STATES), agent.moments(torch.from_numpy(STATES))
    )
    assert not torch.equal(agent.std_on_data, before)
    assert torch.equal(agent.parts.policy.net.trust.std_on_data, agent.std_on_data)
    lived = replay.in_order()
    torch.testing.assert_close(lived.prior_mean, agent.moments(lived.states)[0])
    shown = replay.transitions(torch.arange(300, 300 + len(width)))
    torch.testing.assert_close(shown.prior_std, agent.moments(shown.states)[1])


def test_a_checkpoint_brings_the_new_prior_and_one_from_before_the_old(make, point_config):
    agent = make()
    old = agent.state()
    replay = collect(agent, point_config)
    refit(agent, replay)
    new = {name: value.clone() for name, value in agent.state().items()}
    resumed = make()
    resumed.load_state(new)
    wanted = agent.act(STATES, deterministic=True)
    assert np.array_equal(resumed.act(STATES, deterministic=True), wanted)
    assert torch.equal(resumed.std_on_data, agent.std_on_data)
    assert resumed.state().keys() == new.keys()
    resumed.load_state(old)
    assert resumed.prior is resumed.given
    assert np.array_equal(
        resumed.act(STATES, deterministic=True), make().act(STATES, deterministic=True)
    )
    assert not np.array_equal(resumed.act(STATES, deterministic=True), wanted)
    assert isinstance(resumed.parts.policy, Part)


def test_without_a_better_episode_the_prior_stays(make, point_config):
    agent = make()
    given = agent.prior
    replay = collect(agent, point_config, steps=3)
    assert refit(agent, replay) == {"best_episodes": 0}
    assert agent.prior is given
