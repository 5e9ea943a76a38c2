"""Libraries that draw from the global generators, kept apart from everybody else's draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def isolated_randomness(generator: torch.Generator, device: torch.device) -> Iterator[None]:
    """Inside, PyTorch's global generators follow `generator`; afterwards they are as before.

    Args:
        generator: A CPU generator; one number is drawn from it.
        device: The device whose global generator is isolated along with the CPU's.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    on_cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
