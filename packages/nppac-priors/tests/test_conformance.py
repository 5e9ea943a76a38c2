"""Every built-in prior passes the conformance kit that third parties use."""

from __future__ import annotations

import pytest
from nppac_priors import (
    BayesianMLPConfig,
    ConstantVarianceConfig,
    CVAEConfig,
    EnsembleConfig,
    ExactGPConfig,
    GaussianMLPConfig,
    MeanAndScaleConfig,
    SparseGPConfig,
    VarianceFloorConfig,
    prior_registry,
)
from nppac_priors.testing import NOISE_STD, PriorConformance

pytestmark = pytest.mark.medium

GP = ExactGPConfig(steps=40, subset_size=150)
MLP = GaussianMLPConfig(
    hidden=(16,), steps=100, learning_rate=1e-2, evaluate_every=25, patience=10, batch_size=128
)
SHARED = MLP.model_dump(include={"hidden", "learning_rate", "evaluate_every", "batch_size"})


class TestExactGP(PriorConformance):
    config = GP


class TestSparseGP(PriorConformance):
    config = SparseGPConfig(inducing_points=20, start_steps=40, steps=30, batch_size=200)


class TestGaussianMLP(PriorConformance):
    config = MLP


class TestEnsemble(PriorConformance):
    config = EnsembleConfig(**SHARED, steps=100, members=3)


class TestVariational(PriorConformance):
    config = BayesianMLPConfig(**SHARED, steps=120, samples=8)


class TestDropout(PriorConformance):
    config = BayesianMLPConfig(**SHARED, inference="dropout", steps=100, samples=8)


class TestCVAE(PriorConformance):
    config = CVAEConfig(**SHARED, steps=100, members=2)


class TestVarianceFloor(PriorConformance):
    config = VarianceFloorConfig(prior=MLP, min_std=0.05)


class TestConstantVariance(PriorConformance):
    config = ConstantVarianceConfig(prior=MLP, std=NOISE_STD)


class TestMeanAndScale(PriorConformance):
    config = MeanAndScaleConfig(
        mean=GP, scale=VarianceFloorConfig(prior=MLP.model_copy(update={"steps": 75}), min_std=0.1)
    )


BUILT_IN = {
    component.kind: component.cls
    for component in prior_registry().components.values()
    if component.distribution == "nppac-priors"
}


def test_every_built_in_kind_is_tested_here() -> None:
    tested = {case.config.kind for case in PriorConformance.__subclasses__()}
    elsewhere = {"file", "program"}  # a prior of one of the other kinds; `given/test_program`
    assert BUILT_IN.keys() - elsewhere <= tested


def test_every_built_in_kind_but_a_file_says_whether_it_is_gaussian() -> None:
    assert [kind for kind, cls in BUILT_IN.items() if cls.gaussian is None] == ["file"]
