from __future__ import annotations

import pytest
import torch
from nppac_priors.errors import NumericalError
from nppac_priors.gp.eigendecomposition import JITTERS, eigendecompose


def _covariance() -> torch.Tensor:
    x = torch.tensor([[0.0], [1.0], [1.001], [2.0]], dtype=torch.float64)
    return torch.exp(-0.5 * torch.cdist(x, x).square())


def _failing_until(monkeypatch, jitter: float) -> list[float]:
    real, diagonals = torch.linalg.eigh, []

    def eigh(matrix: torch.Tensor):
        diagonals.append(matrix.diagonal().max().item())
        if diagonals[-1] < 1.0 + jitter:
            raise torch.linalg.LinAlgError
        return real(matrix)

    monkeypatch.setattr(torch.linalg, "eigh", eigh)
    return diagonals


def test_rebuilds_the_matrix_and_clears_negative_eigenvalues() -> None:
    covariance = _covariance() - 1e-3 * torch.eye(4, dtype=torch.float64)
    eigenvalues, vectors = eigendecompose(covariance.clone(), "test")
    assert eigenvalues.min() == 0.0
    rebuilt = (vectors * eigenvalues) @ vectors.T
    torch.testing.assert_close(rebuilt, covariance, rtol=0, atol=2e-3)


def test_a_failure_is_answered_by_more_jitter(monkeypatch) -> None:
    diagonals = _failing_until(monkeypatch, 1e-8)
    covariance = _covariance()
    eigenvalues, vectors = eigendecompose(covariance.clone(), "test")
    assert diagonals == pytest.approx([1.0, 1.0 + 1e-10, 1.0 + 1e-8], abs=1e-13)
    torch.testing.assert_close((vectors * eigenvalues) @ vectors.T, covariance, rtol=0, atol=2e-8)


def test_the_last_failure_names_the_closest_states(monkeypatch) -> None:
    diagonals = _failing_until(monkeypatch, 1.0)
    with pytest.raises(NumericalError, match=r"4 states .* jitter 1e-06; .* rows 1 and 2:"):
        eigendecompose(_covariance(), "test")
    assert len(diagonals) == len(JITTERS)


def test_a_matrix_that_is_not_finite_names_the_row() -> None:
    covariance = _covariance()
    covariance[2, 3] = covariance[3, 2] = torch.nan
    with pytest.raises(NumericalError, match="not finite, first in row 2"):
        eigendecompose(covariance, "test")
