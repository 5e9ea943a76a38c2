"""Products by whichever library, against float64 and against each other."""

import pytest
import torch
from nppac_priors import products
from nppac_priors.products import WORTH_A_CALL, affine, outer_sum, product

SHAPES = [(3, 5, 2), (256, 23, 256), (256, 256, 12), (300, 70, 90), (1, 1100, 1000)]
"""(M, K, N), some of them above `WORTH_A_CALL`"""


def drawn(*shape: int, transposed: bool = False) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = shape[::-1] if transposed else shape
    values = torch.randn(shape, generator=generator)
    return values.t() if transposed else values


def close(found: torch.Tensor, expected: torch.Tensor, inner: int) -> bool:
    """Within float32's rounding of sums of `inner` products of standard normals."""
    return torch.allclose(found.double(), expected, rtol=1e-5, atol=1e-6 * inner)


def test_shapes_are_on_both_sides():
    sizes = [m * k * n for m, k, n in SHAPES]
    assert min(sizes) < WORTH_A_CALL < max(sizes)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
def test_agree_with_float64(m, k, n, transposed):
    left, right = drawn(m, k, transposed=transposed), drawn(k, n, transposed=not transposed)
    bias, exact = drawn(1, n)[0], left.double() @ right.double()
    assert close(product(left, right), exact, k)
    assert close(affine(left, right, bias), exact + bias, k)
    assert close(affine(left, right, bias, relu=True), (exact + bias).relu(), k)


@pytest.mark.parametrize(("m", "k", "n"), [*SHAPES, (90, 300, 256), (256, 300, 90)])
def test_sums_of_outer_products_are_written_where_they_belong(m, k, n):
    left, right = drawn(k, m), drawn(k, n)
    flat = torch.full((m * n + 2,), 7.0)
    outer_sum(left, right, flat[1:-1].view(m, n))
    assert close(flat[1:-1].view(m, n), left.double().t() @ right.double(), k)
    assert flat[0] == flat[-1] == 7.0


def test_float64_is_a_plain_product():
    left, right = drawn(256, 256).double(), drawn(256, 256).double()
    assert torch.equal(product(left, right), left @ right)


def test_large_float32_products_are_one_dnns_where_it_is_there(monkeypatch):
    called = []
    monkeypatch.setattr(products, "_one_dnn", lambda *given: called.append(given) or given[0])
    monkeypatch.setattr(products, "_ONE_DNN", True)
    for size in (64, 256):
        product(drawn(size, size), drawn(size, size))
    assert len(called) == 1
    monkeypatch.setattr(products, "_ONE_DNN", False)
    product(drawn(256, 256), drawn(256, 256))
    assert len(called) == 1
