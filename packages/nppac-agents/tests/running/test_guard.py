import math

import numpy as np
import pytest
import torch
from nppac_agents.data.rollouts import Step
from nppac_agents.methods.bc import BC
from nppac_agents.methods.nppac import NPPAC
from nppac_agents.methods.sac import SAC
from nppac_agents.running import guard

SMALL = {"policy_hidden": (8,), "critic_hidden": (8,), "batch_size": 4, "kl_estimator": "analytic"}


@pytest.fixture
def agent(spaces, prior, demonstrations, generator):
    return NPPAC(**SMALL, gamma=0.5).build(spaces, prior, demonstrations, generator=generator)


@pytest.fixture
def replay(agent, demonstrations, generator):
    """Two episodes of two steps, along demonstrated states: one terminates, one is cut short."""
    replay = agent.make_replay(100, 1, generator)
    for step, (reward, terminated, truncated) in enumerate(
        [(1.0, False, False), (2.0, True, False), (3.0, False, False), (4.0, False, True)]
    ):
        states = demonstrations.states[step : step + 1]
        replay.add(
            Step(
                states,
                demonstrations.actions[step : step + 1],
                np.array([reward]),
                np.array([terminated]),
                np.array([truncated]),
                demonstrations.states[step + 1 : step + 2],
            )
        )
    return replay


def always(agent, value):
    """Critics that know one value."""
    for parameter in agent.parts.critic.net.parameters():
        parameter.data.zero_()
    agent.parts.critic.net.biases[-1].data.fill_(value)


def test_what_critics_promise_is_compared_with_what_followed(agent, replay):
    agent.method = agent.method.model_copy(update={"timeouts_are_terminal": False})
    always(agent, 6.0)
    returns = (1 + 0.5 * 2, 3 + 0.5 * (4 + 0.5 * 6.0))
    expected = 6.0 / (sum(returns) / 2)
    assert guard.look(agent, replay)["value_over_return"] == pytest.approx(expected)


def test_values_count_in_rewards_whatever_unit_the_critics_have(agent, replay):
    always(agent, 6.0)
    usual = guard.look(agent, replay)["value_over_return"]
    always(agent, 0.5)
    agent.parts.critic.unit.fill_(12.0)
    assert guard.look(agent, replay)["value_over_return"] == pytest.approx(usual)


def test_a_prior_that_grows_sure_off_its_data_is_seen(agent, replay):
    columns = replay.layout.column("prior_std")
    replay._rows[:4, columns] = agent.std_on_data * 0.5
    assert guard.look(agent, replay)["prior_narrow"] == 1.0
    replay._rows[:3, columns] = agent.std_on_data * 2.0
    assert guard.look(agent, replay)["prior_narrow"] == 0.25


def test_gradients_of_divergence_and_value_are_compared(agent, replay):
    for parameter in agent.parts.policy.net.parameters():
        parameter.data.normal_(0, 0.1, generator=torch.Generator().manual_seed(1))
    usual = guard.look(agent, replay)["kl_over_value_gradient"]
    agent.parts.temperature.net.log_value.data += math.log(3.0)
    assert guard.look(agent, replay)["kl_over_value_gradient"] == pytest.approx(3 * usual, rel=1e-4)


def test_gradients_of_less_than_a_minibatch_are_not_compared(agent, replay):
    assert "kl_over_value_gradient" in guard.look(agent, replay)
    agent.method = agent.method.model_copy(update={"batch_size": 5})
    assert "kl_over_value_gradient" not in guard.look(agent, replay)


def test_it_draws_from_no_generator_of_the_learner(agent, replay):
    states = [generator.get_state() for generator in (agent.noise, agent.acting)]
    guard.look(agent, replay)
    for generator, state in zip((agent.noise, agent.acting), states, strict=True):
        assert torch.equal(generator.get_state(), state)


def test_who_has_no_prior_or_no_critics_is_asked_for_none(spaces, demonstrations, generator):
    settings = {"policy_hidden": (8,), "batch_size": 8}
    sac = SAC(**settings, critic_hidden=(8,)).build(spaces, None, None, generator=generator)
    empty = sac.make_replay(10, 1, generator)
    assert guard.look(sac, empty) == {}
    states = demonstrations.states[:1]
    flag = np.zeros(1, bool)
    step = Step(states, demonstrations.actions[:1], np.ones(1), flag, flag, states)
    empty.add(step)
    assert set(guard.look(sac, empty)) == {"value_over_return"}
    bc = BC(**settings).build(spaces, None, demonstrations, generator=generator)
    replay = bc.make_replay(10, 1, generator)
    replay.add(step)
    assert guard.look(bc, replay) == {}


def test_only_what_left_its_range_is_warned_of_with_what_to_do():
    assert guard.warnings({}) == []
    healthy = {"prior_narrow": 0.5, "kl_over_value_gradient": 1.0, "value_over_return": 1.2}
    assert guard.warnings(healthy) == []
    (warning,) = guard.warnings(healthy | {"value_over_return": 3.0})
    assert warning.startswith("Critic over return is 3 (")
    assert "raise agent.n_critics" in warning
