import numpy as np
import pytest
import torch
from nppac_priors import load_policy
from nppac_priors.deployed.action_map import ActionMap
from nppac_priors.deployed.actors import actor_of
from nppac_priors.deployed.files import save_policy
from nppac_priors.deployed.observation import state_rows
from nppac_priors.deployed.squashing import squashed_moments
from nppac_priors.errors import ConfigError, DataError

pytestmark = pytest.mark.medium


def by_hand(tensors, states):
    hidden = ((states - tensors["shift"]) / tensors["scale"]).clamp(-10, 10)
    hidden = torch.relu(hidden @ tensors["weight_0"].T + tensors["bias_0"])
    return (hidden @ tensors["weight_1"].T + tensors["bias_1"]).chunk(2, dim=1)


def test_it_acts_as_the_equations_say_in_the_environments_units(folder, tensors, gp, demonstrated):
    policy, states = load_policy(folder), torch.from_numpy(demonstrated[0])
    shift, rho = by_hand(tensors, states)
    mean, std = gp.moments(states)
    low, high = np.array([-2.1, 0.0]), np.array([2.1, 0.3])
    wanted = low + ((mean + shift).clamp(-1, 1).numpy() + 1) / 2 * (high - low)
    actions = policy.act(demonstrated[0])
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, wanted, atol=1e-5)
    assert (np.abs((mean + shift).numpy()) > 1).any(), "some are clipped"
    assert (actions.astype(np.float64) >= low).all()
    assert (actions.astype(np.float64) <= high).all()
    both = policy.distribution(demonstrated[0])
    half, ratio = (high - low) / 2, rho.clamp(-5, 2).exp().numpy()
    assert (rho > 2).any(), "some are clipped"
    np.testing.assert_allclose(both.policy.std, std.numpy() * ratio * half, rtol=1e-4)
    np.testing.assert_allclose(both.prior.std, std.numpy() * half, rtol=1e-4)
    np.testing.assert_allclose(both.prior.mean, low + (mean.numpy() + 1) * half, atol=1e-5)


def test_one_observation_gives_what_its_place_in_a_batch_gives(folder, demonstrated):
    policy, states = load_policy(folder), demonstrated[0]
    for ask in (policy.act, policy.prior_action, policy.trust):
        one, batch = ask(states[3]), ask(states)
        assert np.shape(one) == np.shape(batch)[1:]
        np.testing.assert_allclose(one, batch[3], atol=1e-5)
    assert isinstance(policy.trust(states[3]), float)
    both = policy.distribution(states[3])
    assert both.policy.mean.shape == both.prior.std.shape == (2,)


def test_the_prior_is_what_to_fall_back_on(folder, gp, demonstrated):
    mean = gp.mean(demonstrated[0]).clamp(-1, 1).numpy()
    actions = load_policy(folder).prior_action(demonstrated[0])
    np.testing.assert_allclose(actions[:, 0], 2.1 * mean[:, 0], atol=1e-5)


def test_trust_falls_away_from_the_demonstrations(folder, demonstrated):
    policy = load_policy(folder)
    near, far = policy.trust(demonstrated[0]), policy.trust(demonstrated[0] + 8.0)
    assert near.mean() > 0.5
    assert (far < policy.threshold(per_episode=0.2)).all()
    assert (far < policy.threshold(per_step=0.05)).all()


def test_without_prior_or_alarm_what_needs_them_is_refused(tmp_path, fields, tensors):
    alone = fields | {"actor": fields["actor"].model_copy(update={"form": "gaussian"})}
    save_policy(tmp_path / "alone", alone, tensors, None, None)
    policy = load_policy(tmp_path / "alone")
    assert policy.distribution(np.zeros(3)).prior is None
    with pytest.raises(DataError, match="has no prior"):
        policy.prior_action(np.zeros(3))
    with pytest.raises(DataError, match="was exported without an alarm"):
        policy.trust(np.zeros(3))
    assert repr(policy) == "<DeployedPolicy: gaussian, 3 -> 2, no prior, no alarm>"
    with pytest.raises(ConfigError, match="a residual policy and an alarm need a prior"):
        save_policy(tmp_path / "residual", fields, tensors, None, None)


def test_it_says_what_it_is(folder):
    assert repr(load_policy(folder)) == (
        "<DeployedPolicy: residual, 3 -> 2, prior 'exact-gp', alarm from 5 episodes>"
    )


@pytest.mark.parametrize(
    ("observation", "problem"),
    [
        (np.zeros(4), r"observation: expected shape \(n, 3\), got \(1, 4\)"),
        (np.zeros((1, 2, 3)), r"expected \(S,\) or \(B, S\)"),
        ([0.0, np.nan, 0.0], "entries are NaN or infinite"),
        (["a", "b", "c"], "has to hold real numbers"),
        ({"x": [0.0]}, "is a dict, this policy takes a vector"),
    ],
)
def test_an_observation_of_another_kind_is_refused(folder, observation, problem):
    with pytest.raises(DataError, match=problem):
        load_policy(folder).act(observation)


def test_a_dict_is_joined_in_the_order_of_its_keys():
    keys = ("position", "goal")
    one = {"goal": np.array(3.0), "position": np.array([1.0, 2.0]), "image": None}
    rows, single = state_rows(one, keys)
    assert (rows.tolist(), single) == ([[1.0, 2.0, 3.0]], True)
    batch = {"position": np.zeros((4, 2)), "goal": np.ones((4, 1))}
    rows, single = state_rows(batch, keys)
    assert (rows.shape, single) == ((4, 3), False)
    with pytest.raises(DataError, match=r"has no entry 'goal'; the state is position, goal"):
        state_rows({"position": [1.0, 2.0]}, keys)
    with pytest.raises(DataError, match="no batch of one size"):
        state_rows(batch | {"goal": np.ones((3, 1))}, keys)


def test_mapped_actions_are_never_outside_bounds_that_float32_cannot_hold():
    low, high = (-0.1, 0.1), (0.3, 0.7)
    mapped = ActionMap(low, high).action(torch.tensor([[-1.0, 1.0], [-5.0, 5.0]])).numpy()
    assert (mapped.astype(np.float64) >= np.array(low)).all()
    assert (mapped.astype(np.float64) <= np.array(high)).all()
    np.testing.assert_allclose(mapped, [[-0.1, 0.7]] * 2, rtol=1e-6)


def test_moments_of_squashed_actions_are_those_of_samples():
    mean, std = torch.tensor([[0.3, -1.5]]).double(), torch.tensor([[0.8, 0.2]]).double()
    noise = torch.randn(400_000, 2, generator=torch.Generator().manual_seed(0)).double()
    drawn = (mean + std * noise).tanh()
    found = squashed_moments(mean, std)
    torch.testing.assert_close(found[0][0], drawn.mean(0), atol=3e-3, rtol=0)
    torch.testing.assert_close(found[1][0], drawn.std(0), atol=3e-3, rtol=0)


def test_an_actor_of_another_precision_computes_in_it(fields, tensors):
    actor = actor_of(fields["actor"], tensors, 3, 2).to(dtype=torch.float64)
    zeros = torch.zeros(1, 3)
    assert actor(zeros, torch.zeros(1, 2), torch.ones(1, 2)).mean.dtype == torch.float64


def test_a_trust_region_bounds_the_shift_by_the_smaller_std(fields, tensors):
    spec = fields["actor"].model_copy(update={"trust_width": 0.5})
    usual = torch.tensor([0.2, 4.0])
    states = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    std = torch.full((20, 2), 1.0)
    shift, _ = by_hand(tensors, states)
    found = actor_of(spec, tensors | {"std_on_data": usual}, 3, 2)(states, torch.zeros(20, 2), std)
    wanted = torch.tensor([0.1, 0.5]) * (shift / 0.5).tanh()
    torch.testing.assert_close(found.mean, wanted)


def test_an_environment_of_the_policys_own_units_gets_them_clipped():
    actions = torch.tensor([[1.5, -2.0], [0.25, 1.0]])
    assert ActionMap(None, None).action(actions).tolist() == [[1.0, -1.0], [0.25, 1.0]]
