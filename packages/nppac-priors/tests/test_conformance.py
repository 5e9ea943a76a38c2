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

GP = ExactGPConfig(steps=60, subset_size=200)
MLP = GaussianMLPConfig(
    hidden=(32,), steps=400, learning_rate=3e-3, evaluate_every=25, patience=10, batch_size=128
)
SHARED = MLP.model_dump(include={"hidden", "learning_rate", "evaluate_every", "batch_size"})


class TestExactGP(PriorConformance):
    config = GP


class TestSparseGP(PriorConformance):
    config = SparseGPConfig(inducing_points=50, start_steps=40, steps=30, batch_size=256)


class TestGaussianMLP(PriorConformance):
    config = MLP


class TestEnsemble(PriorConformance):
    config = EnsembleConfig(**SHARED, steps=400, members=3)


class TestVariational(PriorConformance):
    config = BayesianMLPConfig(**SHARED, steps=250, samples=16)


class TestDropout(PriorConformance):
    config = BayesianMLPConfig(**SHARED, inference="dropout", steps=400, samples=16)


class TestCVAE(PriorConformance):
    config = CVAEConfig(**SHARED, steps=200, members=2)


class TestVarianceFloor(PriorConformance):
    config = VarianceFloorConfig(prior=MLP, min_std=0.05)


class TestConstantVariance(PriorConformance):
    config = ConstantVarianceConfig(prior=MLP, std=NOISE_STD)


class TestMeanAndScale(PriorConformance):
    config = MeanAndScaleConfig(
        mean=GP, scale=VarianceFloorConfig(prior=MLP.model_copy(update={"steps": 300}), min_std=0.1)
    )


def test_every_built_in_kind_is_tested_here() -> None:
    tested = {case.config.kind for case in PriorConformance.__subclasses__()}
    built_in = {
        component.kind
        for component in prior_registry().components.values()
        if component.distribution == "nppac-priors"
    }
    assert built_in - {"file"} <= tested, "a file holds a prior of one of the other kinds"
