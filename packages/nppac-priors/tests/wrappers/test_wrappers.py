from __future__ import annotations

import json
from typing import Any, Literal

import pytest
import torch
from nppac_priors import (
    ConstantVariance,
    ConstantVarianceConfig,
    MeanAndScale,
    MeanAndScaleConfig,
    Prior,
    PriorConfig,
    VarianceFloor,
    VarianceFloorConfig,
    load_prior,
    prior_registry,
)
from nppac_priors.errors import ConfigError, DataError
from torch.distributions import Independent, Uniform

NETWORK = {"kind": "gaussian-mlp", "hidden": [8], "steps": 20}
NESTED = {
    "kind": "mean-and-scale",
    "mean": {"kind": "exact-gp", "steps": 3, "subset_size": 20},
    "scale": {"kind": "variance-floor", "min_std": 0.3, "prior": NETWORK},
}


@pytest.fixture
def gp(demonstrations):
    return prior_registry().parse(NESTED["mean"]).fit(*demonstrations)


@pytest.fixture
def network(demonstrations):
    return prior_registry().parse(NETWORK).fit(*demonstrations)


def test_the_floor_lifts_small_stds_only(network, demonstrations) -> None:
    states = 2.0 * demonstrations[0]
    mean, std = network.moments(states)
    floor = std.median().item()
    floored_mean, floored_std = VarianceFloor(network, floor).moments(states)
    assert torch.equal(floored_mean, mean)
    assert torch.equal(floored_std[std >= floor], std[std >= floor])
    assert (floored_std[std < floor] == torch.tensor(floor)).all()
    assert (std < floor).any()


def test_a_constant_std_keeps_the_mean(gp, demonstrations) -> None:
    states = demonstrations[0]
    mean, std = ConstantVariance(gp, 0.1).moments(states)
    assert torch.equal(mean, gp.moments(states)[0])
    assert torch.equal(std, torch.full_like(std, 0.1))


def test_what_a_wrapped_process_has_computed_is_reused(tmp_path, demonstrations, monkeypatch):
    states = demonstrations[0]
    fitted = prior_registry().parse(NESTED).fit(*demonstrations)
    expected = fitted.moments(states)
    fitted.save(tmp_path / "prior")

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("nppac_priors.gp.exact.prior.decompose", refuse)
    again = load_prior(tmp_path / "prior")
    again.reuse(prior_registry().parse(NETWORK).fit(*demonstrations))  # it has no parts
    with pytest.raises(AssertionError):
        again.moments(states)
    again.reuse(fitted)
    for mine, theirs in zip(again.moments(states), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-6)


def test_mean_and_scale_come_from_different_priors(gp, network, demonstrations) -> None:
    states = demonstrations[0]
    both = MeanAndScale(mean=gp, scale=network)
    mean, std = both.moments(states)
    torch.testing.assert_close(mean, gp.mean(states))
    assert torch.equal(std, network.moments(states)[1])
    assert torch.equal(both.mean(states), gp.mean(states))


def test_a_wrapped_prior_has_the_config_that_would_have_fitted_it(gp, network) -> None:
    built = MeanAndScale(mean=gp, scale=VarianceFloor(network, 0.3))
    assert built.config == prior_registry().parse(NESTED)
    assert ConstantVariance(gp, 0.1).config == ConstantVarianceConfig(prior=gp.config, std=0.1)


def test_a_nested_config_keeps_every_field_through_json() -> None:
    config = prior_registry().parse(NESTED)
    assert isinstance(config, MeanAndScaleConfig)
    assert isinstance(config.scale, VarianceFloorConfig)
    written = json.loads(config.model_dump_json())
    assert written["scale"]["prior"]["hidden"] == [8]
    assert prior_registry().parse(written) == config


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "variance-floor", "prior": NETWORK}, "prior.min_std: field required"),
        (
            {"kind": "variance-floor", "min_std": 0.1, "prior": {**NETWORK, "steps": 0}},
            "prior.prior.steps: input should be greater than or equal to 1, got 0",
        ),
        (
            {**NESTED, "scale": {"kind": "variance-floor", "min_std": 0.1, "prior": {"kind": "x"}}},
            "prior.scale.prior: unknown prior kind 'x'",
        ),
        ({**NESTED, "mean": 3}, "prior.mean: has to be an object with a string 'kind'"),
    ],
)
def test_a_mistake_is_named_with_its_whole_path(data, message) -> None:
    with pytest.raises(ConfigError) as error:
        prior_registry().parse(data)
    assert str(error.value).startswith(message)


def test_fitting_a_nested_config_is_wrapping_what_it_holds(demonstrations) -> None:
    config = prior_registry().parse(NESTED)
    generator = torch.Generator().manual_seed(3)
    fitted = config.fit(*demonstrations, generator=generator)
    generator.manual_seed(3)
    gp = config.mean.fit(*demonstrations, generator=generator)
    network = config.scale.prior.fit(*demonstrations, generator=generator)
    states = demonstrations[0]
    mean, std = fitted.moments(states)
    torch.testing.assert_close(mean, gp.mean(states))
    torch.testing.assert_close(std, network.moments(states)[1].clamp(min=0.3))
    assert fitted.data_hash == gp.data_hash == network.data_hash


def test_a_fit_passes_everything_on(demonstrations) -> None:
    stages = []
    prior_registry().parse(NESTED).fit(
        *demonstrations,
        episode_lengths=[20, 20],
        progress=lambda report: stages.append((report.stage, sorted(report.values))),
    )
    assert ("fit", ["held_out_loss", "loss"]) in stages
    assert stages[0][0] == "fit"


@pytest.mark.parametrize("include_factors", [False, True])
def test_one_file_holds_the_whole_nest(tmp_path, demonstrations, include_factors) -> None:
    prior = prior_registry().parse(NESTED).fit(*demonstrations)
    prior.save(tmp_path / "prior.safetensors", include_factors=include_factors)
    restored = load_prior(tmp_path / "prior.safetensors")
    states = 3.0 * demonstrations[0]
    torch.testing.assert_close(restored.moments(states), prior.moments(states), atol=1e-6, rtol=0)
    moved = restored.to("cpu")
    assert moved.config == prior.config
    assert moved.data_hash == prior.data_hash
    factors = "mean/modes" in prior.state(include_factors=include_factors)
    assert factors == include_factors


def test_two_data_sets_have_a_hash_of_their_own(gp, network, demonstrations) -> None:
    states, actions = demonstrations
    other = network.config.fit(states, -actions)
    joint = MeanAndScale(mean=gp, scale=other).data_hash
    assert joint not in (gp.data_hash, other.data_hash)
    assert len(joint) == 64


def test_priors_of_different_dimensions_do_not_go_together(gp, network) -> None:
    other = network.config.fit(torch.rand(20, 5), torch.rand(20, 2))
    with pytest.raises(DataError, match=r"mean-and-scale.*same state and action"):
        MeanAndScale(mean=gp, scale=other)


class BoxConfig(PriorConfig):
    """Uniform over all actions: a prior without a standard deviation of its own."""

    kind: Literal["box"] = "box"

    def _fit(self, states: Any, actions: Any, **_: Any) -> BoxPrior:
        return BoxPrior(self, state_dim=states.shape[1], action_dim=actions.shape[1])

    def from_state(self, tensors: Any, *, device: Any = "cpu") -> BoxPrior:
        raise NotImplementedError


class BoxPrior(Prior):
    device = torch.device("cpu")

    def state(self, *, include_factors: bool = False) -> dict[str, torch.Tensor]:
        return {}

    def _to(self, device: Any) -> BoxPrior:
        return self

    def _distribution(self, states: torch.Tensor) -> Independent:
        ones = torch.ones(len(states), self.action_dim)
        return Independent(Uniform(-ones, ones), 1)


def test_a_prior_that_is_not_gaussian_cannot_be_wrapped(demonstrations, gp) -> None:
    box = BoxConfig().fit(*demonstrations)
    for wrap in (
        lambda: VarianceFloor(box, 0.1),
        lambda: ConstantVarianceConfig(prior=BoxConfig(), std=0.1).fit(*demonstrations),
        lambda: MeanAndScale(mean=gp, scale=box),
    ):
        with pytest.raises(ConfigError, match="needs a Gaussian prior, which 'box' is not"):
            wrap()
