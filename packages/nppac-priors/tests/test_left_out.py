import numpy as np
import pytest
import torch
from nppac_priors import (
    ConstantVariance,
    ExactGPConfig,
    MeanAndScale,
    SparseGPConfig,
    VarianceFloor,
)
from nppac_priors.errors import ConfigError, DataError
from nppac_priors.gp.exact.conditioning import condition, decompose
from nppac_priors.gp.exact.left_out import LeaveOut, left_out_std
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.predictor import Predictor
from nppac_priors.left_out import by_fits
from nppac_priors.networks.gaussian import GaussianMLPConfig

pytestmark = pytest.mark.medium
LENGTHS = np.array([7, 12, 9, 11])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    states = rng.normal(size=(39, 3)).astype(np.float32)
    noise = 0.1 * rng.normal(size=(39, 2))
    return states, (0.8 * np.tanh(states[:, :2] @ [[1, 0.5], [0, 1]] + noise)).astype(np.float32)


@pytest.fixture(scope="module")
def gp(data):
    return ExactGPConfig(kernel="matern32", steps=30, variance_tolerance=0.0).fit(*data)


def conditioned_without(gp, left_out):
    """The posterior from all rows but some, with the same hyper-parameters."""
    kept = [t[[i for i in range(39) if i not in left_out]] for t in vars(gp.data).values()]
    rest = TrainingData(*kept)
    decomposition = decompose(gp.config.kernel, gp.hyperparameters, rest)
    factors = condition(decomposition, gp.hyperparameters, rest)
    return Predictor(gp.config.kernel, gp.hyperparameters, rest.states, factors, torch.float64)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_exact_gp_gives_what_conditioning_on_the_other_episodes_gives(gp, data, weighted):
    std = gp.left_out_std(*data, LENGTHS)
    if weighted:
        weights = torch.linspace(0.3, 3.0, 39)
        gp = type(gp)(
            gp.config,
            gp.hyperparameters,
            TrainingData(*vars(gp.data).values()),
            gp.predictor.factors,
        )
        gp.data = TrainingData(gp.data.states, gp.data.actions, weights)
        lengths = torch.from_numpy(LENGTHS)
        decomposition = decompose(gp.config.kernel, gp.hyperparameters, gp.data)
        std = left_out_std(decomposition, gp.hyperparameters, gp.data, lengths).float()
    ends = np.cumsum(LENGTHS)
    for start, stop in zip(ends - LENGTHS, ends, strict=True):
        _, wanted = conditioned_without(gp, range(start, stop)).moments(gp.data.states[start:stop])
        torch.testing.assert_close(std[start:stop], wanted.float(), rtol=1e-5, atol=1e-7)
    assert (std > gp.moments(data[0])[1] * 0.999).all() or weighted


def test_the_exact_gp_leaves_out_two_episodes_at_once(gp):
    rows = torch.cat([torch.arange(7), torch.arange(19, 28)])
    decomposition = decompose(gp.config.kernel, gp.hyperparameters, gp.data)
    std = LeaveOut(decomposition, gp.hyperparameters, gp.data).std(rows)
    _, wanted = conditioned_without(gp, rows.tolist()).moments(gp.data.states[rows])
    torch.testing.assert_close(std.float(), wanted.float(), rtol=1e-5, atol=1e-7)


def test_the_sparse_gp_conditions_anew_on_the_other_episodes(data):
    sparse = SparseGPConfig(inducing_points=20, steps=20).fit(*data)
    std = sparse.left_out_std(*data, LENGTHS)
    seen = sparse.moments(data[0])[1]
    assert (std >= seen * 0.999).all()
    assert (std > 1.02 * seen).any()


def test_wrappers_leave_out_of_what_they_wrap(gp, data):
    inner = gp.left_out_std(*data, LENGTHS)
    floor = float(inner.median())
    assert torch.equal(
        VarianceFloor(gp, floor).left_out_std(*data, LENGTHS), inner.clamp(min=floor)
    )
    assert (ConstantVariance(gp, 0.2).left_out_std(*data, LENGTHS) == 0.2).all()
    assert torch.equal(MeanAndScale(mean=gp, scale=gp).left_out_std(*data, LENGTHS), inner)


def test_other_kinds_are_fitted_again_without_each_group(data):
    network = GaussianMLPConfig(steps=20, hidden=(8,)).fit(*data, episode_lengths=LENGTHS)
    rows, calls = [], []

    def fit(kept):
        rows.append(kept)
        return network

    by_fits(data[0], torch.from_numpy(LENGTHS), fit, calls.append, most=3)
    assert [39 - len(kept) for kept in rows] == [7 + 12, 9, 11]
    assert sorted(i for kept in rows for i in set(range(39)) - set(kept.tolist())) == list(
        range(39)
    )
    assert [call.done for call in calls] == [1, 2, 3]
    std = network.left_out_std(*data, LENGTHS)
    assert std.shape == (39, 2)
    wanted = GaussianMLPConfig(steps=20, hidden=(8,)).fit(
        data[0][7:], data[1][7:], episode_lengths=LENGTHS[1:]
    )
    torch.testing.assert_close(std[:7], wanted.moments(data[0][:7])[1])


def test_other_data_and_a_single_episode_are_refused(gp, data):
    with pytest.raises(DataError, match="was fitted to other data than these"):
        gp.left_out_std(data[0] + 1, data[1], LENGTHS)
    with pytest.raises(ConfigError, match="a single demonstrated episode"):
        gp.left_out_std(*data, np.array([39]))
