import pytest
import torch
from nppac_agents.parts.solvers import conjugate_gradients


@pytest.fixture
def system(generator):
    """A symmetric matrix with eigenvalues in [0.5, 20], and a right side."""
    basis = torch.linalg.qr(torch.randn(12, 12, generator=generator, dtype=torch.float64))[0]
    values = torch.linspace(0.5, 20.0, 12, dtype=torch.float64)
    target = torch.randn(12, generator=generator, dtype=torch.float64)
    return basis @ torch.diag(values) @ basis.T, target


def test_it_solves_what_a_dense_solver_solves(system):
    matrix, target = system
    solution = conjugate_gradients(lambda v: matrix @ v, target, iterations=12, tolerance=0.0)
    torch.testing.assert_close(solution, torch.linalg.solve(matrix, target), rtol=1e-8, atol=1e-10)


def test_every_iteration_lowers_the_error_in_the_matrix_norm(system):
    matrix, target = system
    exact = torch.linalg.solve(matrix, target)
    errors = []
    for iterations in range(8):
        rest = conjugate_gradients(lambda v: matrix @ v, target, iterations=iterations) - exact
        errors.append((rest @ matrix @ rest).item())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.05 * errors[0]


def test_it_stands_still_at_the_tolerance(system):
    matrix, target = system
    few, many = (
        conjugate_gradients(lambda v: matrix @ v, target, iterations=most, tolerance=1e-4)
        for most in (11, 100)
    )
    assert torch.equal(few, many)
    assert 1e-6 * target.norm() < (matrix @ many - target).norm() <= 1e-2 * target.norm()


def test_nothing_to_solve_is_nothing():
    zero = torch.zeros(3)
    assert torch.equal(conjugate_gradients(lambda v: v, zero, iterations=5), zero)
