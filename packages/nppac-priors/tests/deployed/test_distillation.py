import numpy as np
import pytest
import torch
from nppac_priors import (
    ConstantVarianceConfig,
    GaussianMLPConfig,
    MeanAndScale,
    VarianceFloor,
    load_policy,
)
from nppac_priors.deployed.distillation import deviation, distilled
from nppac_priors.deployed.files import save_policy
from nppac_priors.deployed.policy import DeployedPolicy
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium
LENGTHS = np.array([12] * 5)


def test_with_a_point_a_state_it_is_the_exact_prior(gp, demonstrated):
    states = np.concatenate([demonstrated[0], demonstrated[0] + 3.0])
    whole = distilled(gp, 60)
    for ours, exact in zip(whole.moments(states), gp.moments(states), strict=True):
        torch.testing.assert_close(ours, exact, rtol=1e-3, atol=1e-4)
    left_out = [p.left_out_std(*demonstrated, LENGTHS) for p in (whole, gp)]
    torch.testing.assert_close(*left_out, rtol=1e-2, atol=1e-3)


def test_with_fewer_it_is_unsure_where_the_exact_one_is(gp, demonstrated):
    small = distilled(gp, 15)
    assert small.config.kind == "sparse-gp"
    assert small.config.inducing_points == len(small.state()["inducing"]) == 15
    far = demonstrated[0] + 50.0
    torch.testing.assert_close(small.moments(far)[1], gp.moments(far)[1], rtol=1e-4, atol=0)
    mean, std = gp.moments(demonstrated[0])
    apart = (small.mean(demonstrated[0]) - mean) / std
    assert apart.square().mean().sqrt() < 0.7
    assert small.data_hash == gp.data_hash


def test_points_are_chosen_for_where_the_policy_goes(gp, demonstrated):
    """Where the first state is high here, and with it a fifth of the demonstrated states."""
    draw = np.random.default_rng(1)
    high = demonstrated[0][demonstrated[0][:, 0] > 0.8]
    visited = high.repeat(20, 0) + draw.normal(0, 0.3, (20 * len(high), 3)).astype(np.float32)
    known, held_out = visited[::2], visited[1::2]
    seen, blind = distilled(gp, 12, known), distilled(gp, 12)
    chosen = [one.state()["inducing"][:, 0] > 0.8 for one in (seen, blind)]
    assert chosen[0].sum() > chosen[1].sum()
    for moment, exact in enumerate(gp.moments(held_out)):
        off = [(one.moments(held_out)[moment] - exact).abs().mean() for one in (seen, blind)]
        assert off[0] < off[1]
    far = distilled(gp, 12, known + 1e4).state()["inducing"]
    assert torch.equal(far, blind.state()["inducing"]), "of those it says nothing"


def test_what_a_wrapper_holds_is_distilled_too(gp, demonstrated):
    network = GaussianMLPConfig(hidden=(4,), steps=2).fit(*demonstrated)
    found = distilled(VarianceFloor(MeanAndScale(mean=network, scale=gp), 0.3), 10)
    inner = found.parts["prior"].parts
    assert [inner[name].config.kind for name in ("mean", "scale")] == ["gaussian-mlp", "sparse-gp"]
    assert found.config.prior.scale.inducing_points == 10
    assert (found.moments(demonstrated[0])[1] >= 0.3).all()


def test_a_prior_without_an_exact_process_is_refused(demonstrated):
    config = ConstantVarianceConfig(prior=GaussianMLPConfig(hidden=(4,), steps=2), std=0.1)
    with pytest.raises(ConfigError, match="'constant-variance': holds no exact-gp"):
        distilled(config.fit(*demonstrated), 10)


def test_how_far_it_is_off_is_measured_in_the_environments_units(
    folder, fields, tensors, gp, demonstrated, tmp_path
):
    save_policy(tmp_path / "small", fields, tensors, distilled(gp, 15), None)
    small, exact = load_policy(tmp_path / "small"), load_policy(folder)
    states = demonstrated[0]
    found = deviation(small, exact, states)
    units = np.array([4.2, 0.3], np.float32)
    for name in ("policy", "prior"):
        one, other = (getattr(policy.distribution(states), name) for policy in (small, exact))
        for moment in ("mean", "std"):
            apart = np.abs(getattr(one, moment) - getattr(other, moment)) / units
            off = getattr(found, f"{name}_{moment}")
            assert off.mean == pytest.approx(apart.mean(), rel=1e-4)
            assert off.mean > 0
            assert off.largest == pytest.approx(apart.max(), rel=1e-4)
    in_its_units = (small.prior.mean(states) - gp.mean(states)).abs().mean().item() / 2
    assert found.prior_mean.mean == pytest.approx(in_its_units, rel=1e-3)
    assert found.as_json()["prior_mean"] == {
        "mean": found.prior_mean.mean,
        "largest": found.prior_mean.largest,
    }
    same = deviation(exact, DeployedPolicy(exact.spec, exact.actor, gp, None), states)
    assert max(off.largest for off in same) < 1e-5
    assert f"the prior's mean by {found.prior_mean.mean:.2%} (" in str(found)
