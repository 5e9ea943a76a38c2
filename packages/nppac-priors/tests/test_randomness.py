from __future__ import annotations

import torch
from nppac_priors.randomness import isolated_randomness

CPU = torch.device("cpu")


def drawn(seed: int) -> torch.Tensor:
    with isolated_randomness(torch.Generator().manual_seed(seed), CPU):
        return torch.rand(3)


def test_the_generator_decides_what_is_drawn_inside() -> None:
    torch.manual_seed(1)
    first = drawn(0)
    torch.manual_seed(2)
    assert torch.equal(drawn(0), first)
    assert not torch.equal(drawn(1), first)


def test_outside_nothing_has_happened() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    drawn(0)
    assert torch.equal(torch.rand(3), expected)


def test_one_number_is_drawn_from_the_generator() -> None:
    one, other = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    with isolated_randomness(one, CPU):
        pass
    torch.randint(2**62, (), generator=other)
    assert torch.equal(torch.rand(3, generator=one), torch.rand(3, generator=other))
