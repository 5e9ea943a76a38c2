from __future__ import annotations

import pytest
import torch
from nppac_priors import BayesianMLPConfig, GaussianMLPConfig
from nppac_priors.errors import NumericalError
from nppac_priors.networks.perceptrons import StackedNetworks
from nppac_priors.networks.training import BestParameters, held_out_loss, train
from nppac_priors.networks.training_set import Batch, TrainingSet


class Scripted:
    """Two groups of one parameter that grows by the learning rate, with scores from a list."""

    def __init__(self, scores: list[list[float]], loss: float = 0.0) -> None:
        self.value = torch.zeros(2, 1, requires_grad=True)
        self._scores = iter(scores)
        self._offset = loss

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [self.value]

    def loss(self, batch: Batch) -> torch.Tensor:
        return self._offset - self.value[:, 0]

    def score(self, batch: Batch) -> torch.Tensor:
        return torch.tensor(next(self._scores))

    def networks(self) -> StackedNetworks:
        raise NotImplementedError


def data_set(held_out: bool = True) -> TrainingSet:
    return TrainingSet.check(
        torch.rand(20, 2),
        torch.rand(20, 1),
        episode_lengths=torch.tensor([10, 10]),
        weights=torch.ones(20),
        held_out_share=0.5 if held_out else 0.0,
        generator=torch.Generator().manual_seed(0),
    )


def run(objective, *, held_out: bool = True, **fields) -> list:
    reports: list = []
    config = GaussianMLPConfig(
        **{"steps": 10, "evaluate_every": 1, "learning_rate": 1.0, "patience": 3, **fields}
    )
    train(config, objective, data_set(held_out), torch.Generator(), reports.append)
    return reports


def test_each_group_keeps_its_own_best_parameters() -> None:
    objective = Scripted([[5.0, 5.0], [3.0, 6.0], [4.0, 2.0]] + [[9.0, 9.0]] * 7)
    run(objective)
    torch.testing.assert_close(objective.value[:, 0], torch.tensor([2.0, 3.0]), atol=1e-3, rtol=0)


def test_it_stops_when_no_group_has_improved_for_long_enough() -> None:
    reports = run(Scripted([[5.0, 5.0], [3.0, 6.0], [4.0, 2.0]] + [[9.0, 9.0]] * 7))
    assert [report.done for report in reports] == [1, 2, 3, 4, 5, 6]
    assert [report.total for report in reports] == [10, 10, 10, 10, 10, 6]
    assert reports[2].values["held_out_loss"] == pytest.approx(3.0)


def test_an_improving_group_keeps_all_going() -> None:
    reports = run(Scripted([[1.0, 20.0 - i] for i in range(10)]))
    assert reports[-1].done == reports[-1].total == 10


def test_without_held_out_episodes_all_steps_are_run_and_kept() -> None:
    objective = Scripted([])
    reports = run(objective, held_out=False, steps=7, evaluate_every=3)
    assert [report.done for report in reports] == [3, 6, 7]
    assert set(reports[0].values) == {"loss"}
    torch.testing.assert_close(objective.value, torch.full((2, 1), 7.0), atol=1e-3, rtol=0)


def test_a_loss_that_is_not_finite_stops_the_fit() -> None:
    with pytest.raises(NumericalError, match=r"gaussian-mlp.*step 1 .*learning_rate"):
        run(Scripted([[1.0, 1.0]], loss=float("nan")))


def test_the_held_out_loss_is_the_mean_over_all_states() -> None:
    class Mean(Scripted):
        def score(self, batch: Batch) -> torch.Tensor:
            return batch.actions.mean()[None]

    actions = torch.rand(10_000, 1)
    batch = Batch(torch.zeros(10_000, 1), actions, torch.ones(10_000))
    torch.testing.assert_close(held_out_loss(Mean([]), batch), actions.mean()[None])


@pytest.mark.parametrize("inference", ["variational", "dropout"])
def test_equal_parameters_have_equal_held_out_losses(inference) -> None:
    """Posteriors score a few draws: the same ones at every evaluation."""
    data = data_set()
    assert data.held_out is not None
    config = BayesianMLPConfig(inference=inference, hidden=(8,))
    objective = config.objective(data, torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    following = torch.rand(3)
    torch.manual_seed(1)
    losses = [held_out_loss(objective, data.held_out)]
    assert torch.equal(torch.rand(3), following)
    losses.append(held_out_loss(objective, data.held_out))
    assert torch.equal(*losses)


def test_nothing_offered_nothing_restored() -> None:
    value = torch.ones(2, 1)
    BestParameters([value]).restore()
    assert torch.equal(value, torch.ones(2, 1))
