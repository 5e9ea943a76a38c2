"""Every method learns a small task: a point is pushed to the origin, rewarded only there.

The expert reaches it; `sac`, which sees no demonstration, gets the negative distance as its reward.
MPO, which nothing holds to the data, learns with interaction.

Offline methods learn from one set (`of_some_quality`). The expert's return is 18.6, that of an
untrained policy at most 4, a clone's 6.7 and 5.9. What a method reached with two draws of data and
weights, first as it is, then without its own term (`Row.without`):

    abm         14.9  13.5      8.8   7.2    the prior clones
    awac        17.6  17.5      6.4   5.2    weights all alike
    awr         17.2  16.2      7.6   7.0
    crr         17.2  17.8      7.0   4.2
    iql         17.8  17.8      5.4   4.3
    bcq         16.8  15.6      0.2   1.0    perturbed without a bound
    bear        16.5  14.7      1.0   1.2    no bound of the MMD
    brac        18.1  18.2      2.3   1.5    no penalty
    brac-plus   17.8  17.4      0.2   0.2    no bound, slope or start
    cal-ql      16.7  16.6      2.6   1.0    critics that are not conservative
    cql         16.7  16.7      1.8   1.3
    td3-bc      16.2  17.7      0.7   1.1    hardly any cloning
"""

from __future__ import annotations

from typing import Literal

import gymnasium as gym
import numpy as np
import pytest
import torch
from method_table import LEARNING, METHODS, configured
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.running.evaluation import Evaluator
from nppac_envs import EnvConfig

pytestmark = pytest.mark.medium


class _Distance(gym.RewardWrapper):
    def reward(self, reward):
        return -float(np.linalg.norm(self.unwrapped.position))


class DensePointConfig(EnvConfig):
    """The point task with the negative distance as its reward."""

    kind: Literal["dense-point"] = "dense-point"
    horizon: int = 20
    sparse: EnvConfig

    @property
    def has_success(self):
        return True

    def make(self, *, render_mode=None):
        return _Distance(self.sparse.make())


def success_at_end(agent, env):
    measures = Evaluator(env, 20).evaluate(agent, range(1000, 1020))
    return measures.means()["success_at_end"]


def learn_offline(agent, replay):
    """All phases without interaction; the losses of the last update."""
    losses = {}
    for phase in agent.phases:
        for _ in range(0 if phase.interacts else phase.length or 0):
            losses = agent.learn(phase, replay)
    return losses


@pytest.fixture
def reached(spaces, prior, demonstrations, point_config, generator):
    """Success at the end before and after a method learned with interaction."""

    def reached(kind, *settings):
        config = configured(agent_registry().get(kind), LEARNING, *settings)
        given = prior if config.uses_prior else None
        env = DensePointConfig(sparse=point_config) if kind == "sac" else point_config
        agent = config.build(spaces, given, demonstrations, generator=generator)
        before = success_at_end(agent, env)
        replay = agent.make_replay(5000, 4, generator)
        rollouts = Rollouts(env, 4, agent, replay, seed=0)
        learn_offline(agent, replay)
        online = METHODS[kind].online
        for _ in range(25 if online else 0):
            rollouts.step()
        for update in range(online):
            if update % 4 == 0:
                rollouts.step()
            agent.learn(agent.phases[-1], replay)
        return before, success_at_end(agent, env)

    return reached


ONLINE = {kind: row for kind, row in METHODS.items() if row.learning is not None}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ONLINE)
def test_a_method_learns_to_reach_the_goal(kind, reached):
    before, after = reached(kind, ONLINE[kind].learning)
    assert before < 0.5, "it does not know the task before"
    assert after > 0.85


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [kind for kind, row in ONLINE.items() if row.mixed is None and row.without]
)
def test_without_what_makes_it_itself_it_does_not_reach_the_goal(kind, reached):
    _, after = reached(kind, ONLINE[kind].learning, ONLINE[kind].without)
    assert after < 0.85


def mean_return(act, env):
    """Over 20 episodes, of a function of states (B, S)."""

    class Acting:
        def act(self, states, *, deterministic):
            return act(states)

    measures = Evaluator(env, 20).evaluate(Acting(), range(1000, 1020))
    return measures.means()["return_mean"]


@pytest.fixture(scope="module")
def built(spaces):
    """An agent that learns the task offline."""

    def built(demonstrations, generator, kind, *settings):
        config = configured(agent_registry().get(kind), LEARNING, *settings)
        return config.build(spaces, None, demonstrations, generator=generator)

    return built


@pytest.fixture(scope="module")
def untrained(built, point_config):
    """The return of a method before it learns."""

    def untrained(*arguments):
        agent = built(*arguments)
        return mean_return(lambda states: agent.act(states, deterministic=True), point_config)

    return untrained


@pytest.fixture(scope="module")
def learned(built, point_config):
    """The return of what a method learns offline from demonstrations."""

    def learned(demonstrations, generator, *arguments):
        agent = built(demonstrations, generator, *arguments)
        losses = learn_offline(agent, agent.make_replay(1, 1, generator))
        assert all(torch.isfinite(loss) for loss in losses.values())
        return mean_return(lambda states: agent.act(states, deterministic=True), point_config)

    return learned


@pytest.fixture(scope="module")
def cloned(learned, mixed_demonstrations):
    """The return of a clone of the mixed demonstrations."""
    generator = torch.Generator().manual_seed(0)
    return learned(mixed_demonstrations, generator, "bc", {"updates": 1_000})


OFFLINE = {kind: row for kind, row in METHODS.items() if row.mixed is not None}


@pytest.mark.slow
@pytest.mark.parametrize("kind", OFFLINE)
def test_offline_it_tells_good_demonstrations_from_bad_ones(
    kind, learned, untrained, cloned, mixed_demonstrations, point_config, expert, generator
):
    """At least half way from where it starts to the expert's return, and well above a clone."""
    best, settings = mean_return(expert, point_config), OFFLINE[kind].mixed
    start = untrained(mixed_demonstrations, torch.Generator().manual_seed(0), kind, settings)
    got = learned(mixed_demonstrations, generator, kind, settings)
    assert start < 0.25 * best
    assert got > (start + best) / 2
    assert got > 1.5 * cloned


@pytest.mark.slow
@pytest.mark.parametrize("kind", OFFLINE)
def test_offline_it_does_not_without_what_makes_it_itself(
    kind, learned, mixed_demonstrations, point_config, expert, generator
):
    """Clones what is good and bad alike, or is led to actions that nobody demonstrated."""
    row = OFFLINE[kind]
    got = learned(mixed_demonstrations, generator, kind, row.mixed, row.without)
    assert got < 0.5 * mean_return(expert, point_config)
