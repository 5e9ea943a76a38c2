import pytest
import torch
from nppac_agents.parts import Dynamics, DynamicsEnsemble, ImaginedRows, outcomes_of
from torch.distributions import Independent, Normal


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ensemble_of(inputs, outcomes, members=3, hidden=(8, 8, 8), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return DynamicsEnsemble.draw(members, hidden, inputs, outcomes, generator).double()


@pytest.fixture
def ensemble():
    """Three networks of three states and two actions, whose log variances differ."""
    net = ensemble_of(drawn(1, 50, 5) * 2 + 1, drawn(2, 50, 4) * 3 - 1)
    net.weights[-1].data.mul_(5)
    return net


def perceptron(net, member, inputs):
    """One member's outputs, layer by layer."""
    layers = [(w[member], b[member]) for w, b in zip(net.weights, net.biases, strict=True)]
    for weight, bias in layers[:-1]:
        hidden = inputs @ weight + bias
        inputs = hidden * torch.sigmoid(hidden)
    return inputs @ layers[-1][0] + layers[-1][1]


def test_its_mean_and_std_by_hand_on_two_samples(ensemble):
    states, actions = drawn(3, 2, 3), drawn(4, 2, 2)
    mean, std = ensemble(states, actions)
    joined = torch.cat([states, actions], 1)
    data = drawn(1, 50, 5) * 2 + 1
    seen = (joined - data.mean(0)) / data.std(0, correction=0)
    outcomes = drawn(2, 50, 4) * 3 - 1
    deviation = outcomes.std(0, correction=0)
    for member in range(3):
        raw_mean, raw = perceptron(ensemble, member, seen).chunk(2, dim=1)
        raw = 0.5 - torch.log1p(torch.exp(0.5 - raw))
        raw = -10 + torch.log1p(torch.exp(raw + 10))
        expected = outcomes.mean(0) + deviation * raw_mean
        torch.testing.assert_close(mean[member], expected, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(std[member], deviation * raw.exp().sqrt(), rtol=1e-6, atol=1e-6)


def test_its_loss_is_the_likelihood_of_torchs_normals_with_bounds_and_weights(ensemble):
    states, actions, outcomes = drawn(3, 2, 3), drawn(4, 2, 2), drawn(5, 3, 2, 4)
    ensemble.high.data.add_(0.3)
    mean, std = ensemble(states, actions)
    likelihood = Independent(Normal(mean, std), 1).log_prob(outcomes) + ensemble.scale.log().sum()
    expected = -2 / 4 * likelihood.mean(1).sum() + 0.01 * 4 * 10.8
    decays = [2.5e-5, 5e-5, 7.5e-5, 1e-4]
    for decay, weight in zip(decays, ensemble.weights, strict=True):
        expected = expected + decay * weight.square().sum() / 2
    torch.testing.assert_close(ensemble.loss(states, actions, outcomes), expected)


def test_members_learn_from_their_own_samples_alone(ensemble):
    states, actions = drawn(3, 3, 2, 3), drawn(4, 3, 2, 2)
    together = [member.clone() for member in ensemble.standard(states, actions)[0]]
    for member in range(3):
        alone = ensemble.standard(states[member], actions[member])[0][member]
        torch.testing.assert_close(alone, together[member])
    (gradient,) = torch.autograd.grad(
        ensemble.standard(states, actions)[0][1].sum(), [ensemble.weights[0]]
    )
    assert [bool(of.abs().sum() > 0) for of in gradient] == [False, True, False]


@pytest.mark.parametrize(("raw", "log_std"), [(100.0, 0.25), (-100.0, -5.0)])
def test_a_log_variance_stays_between_its_bounds(ensemble, raw, log_std):
    ensemble.biases[-1].data[..., 4:] = raw
    got = ensemble.standard(drawn(3, 2, 3), drawn(4, 2, 2))[1]
    torch.testing.assert_close(got, torch.full_like(got, log_std), rtol=0, atol=1e-4)


def test_what_never_varies_keeps_its_scale():
    outcomes = torch.cat([drawn(2, 50, 1), torch.full((50, 1), 3.0), 1e-7 * drawn(3, 50, 1)], 1)
    net = ensemble_of(drawn(1, 50, 4), outcomes)
    assert net.scale[1:].tolist() == [1.0, 1.0]
    assert net.scale[0] == outcomes[:, 0].std(correction=0)


def fitted(states, actions, rewards, next_states, updates=600):
    """A model of all transitions (float64)."""
    outcomes = outcomes_of(states, rewards, next_states)
    net = ensemble_of(torch.cat([states, actions], 1), outcomes, hidden=(32, 32))
    model = Dynamics(net, 3e-3, elites=2)
    for _ in range(updates):
        model.descend(net.loss(states, actions, outcomes.expand(3, *outcomes.shape)))
    return model


@pytest.fixture(scope="module")
def linear():
    """A linear world s' = s + a / 2 with reward s . s', and a model of it; with its transitions."""
    states, actions = drawn(1, 400, 2), drawn(2, 400, 2).clamp(-1, 1)
    next_states = states + 0.5 * actions
    rewards = states[:, 0] + 2 * actions[:, 1]
    return fitted(states, actions, rewards, next_states), (states, actions)


def test_a_linear_world_is_recovered(linear):
    model, _ = linear
    states, actions = drawn(3, 100, 2).clamp(-1.5, 1.5), drawn(4, 100, 2).clamp(-1, 1)
    step = model.step(states, actions, torch.Generator().manual_seed(0))
    assert (step.next_states - states - 0.5 * actions).abs().mean() < 0.03
    assert (step.rewards - states[:, 0] - 2 * actions[:, 1]).abs().mean() < 0.1


def test_members_disagree_away_from_the_data(linear):
    model, (states, actions) = linear
    means, _ = model.net(torch.cat([states, 6 * states]), torch.cat([actions, actions]))
    near, far = means.std(0).mean(1).chunk(2)
    assert far.mean() > 5 * near.mean()


def test_a_step_by_hand_on_two_samples(ensemble):
    model = Dynamics(ensemble, 1e-3, elites=2)
    model.order.copy_(torch.tensor([2, 0, 1]))
    states, actions = drawn(3, 2, 3), drawn(4, 2, 2)
    means, stds = model.net(states, actions)
    of_all = set()
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        chosen = [(2, 0)[rank] for rank in torch.randint(2, (2,), generator=generator).tolist()]
        noise = torch.randn(2, 4, generator=generator, dtype=torch.float64)
        step = model.step(states, actions, torch.Generator().manual_seed(seed))
        for row, member in enumerate(chosen):
            outcome = means[member, row] + stds[member, row] * noise[row]
            torch.testing.assert_close(step.rewards[row], outcome[0])
            torch.testing.assert_close(step.next_states[row], states[row] + outcome[1:])
            norms = [stds[m, row].square().sum().sqrt() for m in range(3)]
            torch.testing.assert_close(step.spread[row], max(norms))
        of_all |= set(chosen)
    assert of_all == {0, 2}


def test_the_elites_have_the_lowest_errors_on_held_out_data(ensemble):
    model = Dynamics(ensemble, 1e-3, elites=2)
    states, actions = drawn(3, 6, 3), drawn(4, 6, 2)
    means, _ = model.net(states, actions)
    outcomes = means[2] + 0.1 * ensemble.scale
    outcomes[:, 0] = means[1, :, 0] + 0.2 * ensemble.scale[0]
    errors = ((means - outcomes) / ensemble.scale).square().mean((1, 2))
    expected = errors.argsort().tolist()
    got = model.judge(states, actions, outcomes)
    assert model.elites.tolist() == expected[:2]
    torch.testing.assert_close(got, errors.sort().values[:2].mean())
    assert "order" in model.state_dict()


def test_the_latest_imagined_rows_are_drawn_from():
    imagined, generator = ImaginedRows(5, 1), torch.Generator().manual_seed(0)
    imagined.add(torch.tensor([[1.0], [2.0], [3.0]]))
    assert set(imagined.draw(100, generator).flatten().tolist()) == {1.0, 2.0, 3.0}
    imagined.add(torch.tensor([[4.0], [5.0], [6.0], [7.0]]))
    assert set(imagined.draw(200, generator).flatten().tolist()) == {3.0, 4.0, 5.0, 6.0, 7.0}
