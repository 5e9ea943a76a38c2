import pytest
import torch
from nppac_agents.methods.sac_bc import SACBC


@pytest.fixture
def settled(build, randomise):
    def settled(kind="sac-bc", **settings):
        return randomise(build(kind, **settings)).double()

    return settled


def draw(agent, monkeypatch, shown):
    """Lets the agent draw these demonstrations."""
    monkeypatch.setattr(agent, "draw_demonstrated", lambda size: shown)


@pytest.mark.parametrize("cloning_loss", ["squares", "likelihood"])
@pytest.mark.parametrize("q_filter", [False, True])
def test_the_policys_loss_by_hand_on_two_samples(
    settled, random_batch, doubled, actor_loss, monkeypatch, cloning_loss, q_filter
):
    settings = {"actor_weight": 0.3, "cloning_weight": 0.7, "alpha": 0.2}
    agent = settled(cloning_loss=cloning_loss, q_filter=q_filter, **settings)
    batch, shown = doubled(random_batch(2)), doubled(random_batch(2, seed=8))
    shown.actions.mul_(0.3)
    draw(agent, monkeypatch, shown)
    before = agent.noise.get_state()
    here = agent.parts.policy(batch.states)
    raw = here.mean + here.std * torch.randn(2, 2, generator=agent.noise, dtype=torch.float64)
    log_prob = torch.distributions.Normal(here.mean, here.std).log_prob(raw)
    log_prob = (log_prob - (1 - raw.tanh() ** 2).log()).sum(1)
    value = agent.parts.critic(batch.states, raw.tanh()).min(0).values
    there = agent.parts.policy(shown.states)
    cost = ((there.mean.tanh() - shown.actions) ** 2).sum(1)
    if cloning_loss == "likelihood":
        density = torch.distributions.Normal(there.mean, there.std)
        density = density.log_prob(shown.actions.atanh()) - (1 - shown.actions**2).log()
        cost = -density.sum(1)
    theirs, mine = (
        agent.parts.critic(shown.states, a).min(0).values
        for a in (shown.actions, there.mean.tanh())
    )
    better = (theirs > mine).tolist()
    assert sorted(better) == [False, True], "the filter keeps one of the two"
    kept = [not q_filter or yes for yes in better]
    cloning = sum(cost[row] for row in range(2) if kept[row]) / 2
    expected = 0.3 * (0.2 * log_prob - value).mean() + 0.7 * cloning
    agent.noise.set_state(before)
    torch.testing.assert_close(actor_loss(agent, batch), expected)


def test_without_the_cloning_term_it_is_sac_from_demonstrations(
    settled, random_batch, doubled, actor_loss, policy_gradient, monkeypatch
):
    ours = settled(cloning_weight=0.0, actor_weight=1.0)
    draw(ours, monkeypatch, doubled(random_batch(seed=8)))
    sac = settled("sacfd")
    batch, gradients = doubled(random_batch()), []
    for agent in (ours, sac):
        agent.noise.manual_seed(1)
        gradients.append(policy_gradient(agent, actor_loss(agent, batch)))
    torch.testing.assert_close(*gradients)


def test_without_sacs_loss_it_clones(
    settled, random_batch, doubled, actor_loss, policy_gradient, monkeypatch
):
    agent, shown = settled(actor_weight=0.0, q_filter=False), doubled(random_batch())
    draw(agent, monkeypatch, shown)
    got = policy_gradient(agent, actor_loss(agent, doubled(random_batch(seed=5))))
    square = (agent.parts.policy(shown.states).mode() - shown.actions).square().sum(1).mean()
    torch.testing.assert_close(got, policy_gradient(agent, square))


def test_critics_that_prefer_nothing_let_nothing_be_cloned(
    build, random_batch, randomise, actor_loss
):
    agent = randomise(build("sac-bc", actor_weight=0.0, q_filter=True))
    agent.parts.critic.net.weights[-1].data.zero_()
    assert actor_loss(agent, random_batch()) == 0.0


def test_the_defaults_weigh_as_in_the_source():
    """Nair et al. 2018: 1e-3 the value, 1 / 128 a sum over 128 demonstrations."""
    method = SACBC()
    assert method.actor_weight == 1e-3
    assert method.cloning_weight == pytest.approx(method.cloning_batch_size / 128)
