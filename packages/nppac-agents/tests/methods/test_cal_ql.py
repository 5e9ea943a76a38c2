from dataclasses import replace

import pytest
import torch
from conservative import gap_by_hand
from nppac_agents.methods.cal_ql import CalQL
from nppac_agents.methods.cql import conservative_gap

SMALL_GAP = {"conservative_samples": 3}


@pytest.fixture
def settled(build, randomise):
    def settled(kind="cal-ql", **settings):
        return randomise(build(kind, **(SMALL_GAP | settings))).double()

    return settled


def referred(batch, value):
    """A batch with one return for all of its states, or one for each."""
    filled = torch.zeros_like(batch.rewards) + torch.as_tensor(value)
    return replace(batch, extra={"return_to_go": filled})


def gap(agent, batch):
    agent.noise.manual_seed(1)
    values = agent.parts.critic(batch.states, batch.actions)
    reference = agent.method.reference(agent, batch)
    return conservative_gap(agent, batch, values, 3, reference)


def test_the_gap_by_hand_on_two_samples(settled, random_batch, doubled):
    agent, batch = settled(), referred(doubled(random_batch(2)), [-0.3, 0.4])
    agent.noise.manual_seed(1)
    expected = gap_by_hand(agent, batch, 3, batch.extra["return_to_go"])
    torch.testing.assert_close(gap(agent, batch), expected)
    assert not torch.allclose(expected, gap_by_hand(agent, batch, 3)), "some values are bounded"


def test_returns_are_compared_in_the_unit_of_the_critics(settled, random_batch, doubled):
    agent, batch = settled(relative_rewards=True), referred(doubled(random_batch(2)), [-6.0, 8.0])
    agent.method.rewards(agent, replace(batch, rewards=torch.tensor([20.0, -5.0]).double()))
    unit = agent.parts.critic.unit
    assert unit != 1.0
    torch.testing.assert_close(
        agent.method.reference(agent, batch), batch.extra["return_to_go"] / unit
    )


def test_unknown_returns_leave_cql(settled, random_batch, doubled):
    from nppac_agents.data.episode_columns import UNKNOWN

    agent, batch = settled(), referred(doubled(random_batch()), UNKNOWN)
    got = gap(agent, batch)
    agent.noise.manual_seed(1)
    torch.testing.assert_close(got, gap_by_hand(agent, batch, 3))


def test_returns_above_every_value_hold_the_policys_actions_up(settled, random_batch, doubled):
    """Then only the uniform actions, which weigh nothing, are pushed down."""
    agent, batch = settled(), doubled(random_batch())
    values = agent.parts.critic(batch.states, batch.actions)
    weights = list(agent.parts.critic.net.parameters())

    def gradient(loss):
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)])

    got = gradient(gap(agent, referred(batch, 1e3)).sum())
    torch.testing.assert_close(got, gradient(-values.mean(1).sum()))


def test_demonstrations_come_with_their_returns(build):
    agent = build("cal-ql", gamma=0.5)
    replay = agent.make_replay(1, 1, torch.Generator().manual_seed(0))
    shown = agent.demonstrations
    first = int(shown.episode_lengths[0])
    powers = 0.5 ** torch.arange(first)
    expected = (powers * torch.from_numpy(shown.rewards[:first]).float()).sum()
    rows = replay.transitions(torch.tensor([replay.maxsize]))
    torch.testing.assert_close(rows.extra["return_to_go"][0], expected)


def test_half_of_a_minibatch_online_is_demonstrated():
    assert CalQL().demonstrated_share() == 0.5
