"""A mode in which nothing may be read off the device: on a GPU the host would wait for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

READS = (
    "_local_scalar_dense", "item", "nonzero", "masked_select", "equal", "is_nonzero", "unique",
    "_unique2", "repeat_interleave",
)  # fmt: skip
"""Operators whose answer, or the size of it, the host needs"""


class HostWaits(AssertionError):
    """An operator would make the host wait."""


class _Refusing(TorchDispatchMode):
    def __torch_dispatch__(
        self, function: Any, types: Any, given: tuple[Any, ...] = (), options: Any = None
    ) -> Any:
        name = function.overloadpacket.__name__
        masks = name in ("index", "index_put", "index_put_") and any(
            index is not None and index.dtype == torch.bool for index in given[1]
        )
        if name in READS or masks:
            raise HostWaits(f"{name} makes the host wait")
        return function(*given, **(options or {}))


@contextlib.contextmanager
def no_waiting() -> Iterator[None]:
    """Refuses operators that read a value, and copies to the host's arrays and lists."""

    def refused(tensor: Tensor, *_: Any, **__: Any) -> Any:
        raise HostWaits("a copy to the host makes it wait")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("tolist", "numpy", "cpu", "__array__"):
            patch.setattr(Tensor, name, refused)
        with _Refusing():
            yield
