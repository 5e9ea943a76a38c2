"""Small helpers on tensors that several modules need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch import cat as cat
from torch import no_grad as no_grad
from torch import stack as stack


def as_tensor(states: np.ndarray, device: str | torch.device) -> Tensor:
    """States (B, S) as float32 on `device`."""
    return torch.from_numpy(np.ascontiguousarray(states, dtype=np.float32)).to(device)


def spawn_generator(generator: torch.Generator, device: str | torch.device) -> torch.Generator:
    """A new generator on `device`, seeded from another one."""
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    return torch.Generator(device).manual_seed(seed)


def normal(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Standard normal numbers, on the generator's device."""
    return torch.randn(*shape, generator=generator, device=generator.device)


def uniform(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Numbers uniform in [0, 1), on the generator's device."""
    return torch.rand(*shape, generator=generator, device=generator.device)


def integers(high: int, shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Whole numbers from 0 up to below `high`, on the generator's device."""
    return torch.randint(high, tuple(shape), generator=generator, device=generator.device)


def fixed_normal(shape: Sequence[int], device: str | torch.device) -> Tensor:
    """Standard normal numbers that are the same at every call and on every device."""
    return normal(shape, torch.Generator().manual_seed(0)).to(device)


def shuffled_passes(population: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Endless passes over `population` rows, each in a new order, as minibatches of indices."""
    while True:
        order = torch.randperm(population, generator=generator, device=generator.device)
        yield from order.split(size)


def below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose name starts with `prefix`, under the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
