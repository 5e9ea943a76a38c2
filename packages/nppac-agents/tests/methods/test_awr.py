from dataclasses import replace

import pytest
import torch
from nppac_agents.methods.awr import AWR

QUICK = {"critic_updates": 2, "policy_updates": 3, "steps_per_update": 10}


def backwards(agent, batch, decay):
    """TD(lambda) returns from their definition, the last row first."""
    v, after = (agent.parts.value(s) / 0.1 for s in (batch.states, batch.next_states))
    returns, following = [], None
    for t in reversed(range(len(v))):
        cut = following is None or batch.terminated[t] + batch.truncated[t] > 0
        ahead = after[t] if cut else (1 - decay) * after[t] + decay * following
        following = batch.rewards[t] + batch.discounts[t] * ahead
        returns.append(following)
    return torch.stack(returns[::-1]).detach()


def chained(agent, batch, ending):
    """The batch as one path that ends after its third and its fifth transition."""
    flags = {"terminated": [0, 0, 1, 0, 0, 0], "truncated": [0, 0, 0, 0, 1, 0]}
    states = torch.cat([batch.states[1:], batch.next_states[-1:]])
    return ending(agent, replace(batch, next_states=states), **flags)


@pytest.mark.parametrize("decay", [0.0, 0.6, 1.0])
def test_returns_by_hand(build, random_batch, randomise, ending, doubled, decay):
    agent = randomise(build("awr", gamma=0.9, trace_decay=decay, **QUICK)).double()
    batch = chained(agent, doubled(random_batch(6)), ending)
    got = agent.method.returns(agent, batch)
    torch.testing.assert_close(got, backwards(agent, batch, decay))


def test_with_a_decay_of_one_values_count_where_a_path_was_cut_only(
    build, random_batch, ending, doubled
):
    agent = build("awr", gamma=0.9, trace_decay=1.0, **QUICK).double()
    batch = chained(agent, doubled(random_batch(6)), ending)
    r = batch.rewards
    got = agent.method.returns(agent, batch)
    torch.testing.assert_close(got[0], r[0] + 0.9 * r[1] + 0.81 * r[2])


def test_both_losses_by_hand_on_two_samples(build, random_batch, randomise, doubled):
    agent = randomise(build("awr", gamma=0.9, advantage_temperature=0.5, **QUICK)).double()
    batch, method = doubled(random_batch(2)), agent.method
    v = agent.parts.value(batch.states) / 0.1
    expected = 0.5 * ((0.1 * (v - batch.rewards)) ** 2).mean()
    torch.testing.assert_close(method.value_loss(agent, batch.states, batch.rewards), expected)
    policy = agent.parts.policy(batch.states)
    torch.testing.assert_close(policy.std, torch.full((2, 2), 0.4).double())
    log_prob = torch.distributions.Normal(policy.mean, 0.4).log_prob(batch.actions).sum(-1)
    weights = torch.tensor([0.3, 2.0]).double()
    got = method.policy_loss(agent, batch.states, batch.actions, weights)
    torch.testing.assert_close(got, -(weights * log_prob).mean())


def test_weights_are_of_standardised_advantages_and_bounded():
    advantages = torch.tensor([1.0, 3.0, 5.0, 7.0], dtype=torch.float64)
    standard = (advantages - 4.0) / 5.0**0.5
    weights = AWR(advantage_temperature=0.5).weigh(advantages)
    torch.testing.assert_close(weights, (standard / 0.5).exp(), rtol=1e-4, atol=0)
    assert AWR(advantage_temperature=0.01).weigh(advantages).max() == 20.0


def test_equal_advantages_and_a_high_temperature_clone():
    assert torch.equal(AWR().weigh(torch.full((5,), 3.0)), torch.ones(5))
    flat = AWR(advantage_temperature=1e9).weigh(torch.randn(5))
    torch.testing.assert_close(flat, torch.ones(5))


def test_an_update_learns_from_demonstrations_and_interaction(build, random_batch, monkeypatch):
    agent, seen = build("awr", **QUICK), []
    weigh = type(agent.method).weigh
    monkeypatch.setattr(
        type(agent.method), "weigh", lambda self, a: (seen.append(len(a)), weigh(self, a))[1]
    )
    agent.step(random_batch(7))
    assert seen == [len(agent.demonstrated) + 7]


def test_the_policy_is_weighted_by_the_value_that_was_just_fitted(build, random_batch, monkeypatch):
    agent, order = build("awr", **QUICK), []
    for name, part in agent.parts._asdict().items():
        step = part.descend
        monkeypatch.setattr(
            part, "descend", lambda loss, n=name, s=step: (order.append(n), s(loss))[1]
        )
    returns = type(agent.method).returns
    monkeypatch.setattr(
        type(agent.method), "returns", lambda *given: (order.append("returns"), returns(*given))[1]
    )
    agent.step(random_batch(7))
    assert order == ["returns", "value", "value", "returns", *["policy"] * 3]


def test_it_keeps_what_it_learns_from(build, random_batch, generator):
    agent = build("awr", offline_updates=2, **QUICK)
    assert [(p.name, p.steps_per_update) for p in agent.phases] == [
        ("offline", None),
        ("online", 10),
    ]
    replay = agent.make_replay(20, 1, generator)
    empty = agent.phases[0].batch(agent, replay)
    assert len(empty.rewards) == 0
    assert agent.learn(agent.phases[0], replay)["actor_loss"].isfinite()
