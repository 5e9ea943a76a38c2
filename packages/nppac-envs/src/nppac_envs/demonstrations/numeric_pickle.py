"""Unpickling of plain numeric arrays and of lists of them, and of nothing else.

A pickle is a program. This reader runs it with five names allowed, those that NumPy writes to
rebuild arrays, dtypes and scalars, and each is answered by a function of this module that makes
numbers from bytes: neither a stranger's code nor NumPy's own unpickling code is ever called.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

_MODULES = (
    "numpy",
    *(f"numpy.{core}.{part}" for core in ("core", "_core") for part in ("multiarray", "numeric")),
)


def load_numeric_pickle(raw: bytes) -> Any:
    """Rebuild lists, dicts, strings, numbers and `PickledArray`s, arrays of objects as lists.

    Raises:
        pickle.UnpicklingError: The pickle asks for anything else.
        Exception: Whatever a damaged pickle leads to (`EOFError`, `IndexError`, ...).
    """
    return _NumericUnpickler(io.BytesIO(raw), encoding="latin1").load()


@final
class PickledArray:
    """A stand-in for an array, which a pickle makes empty first and fills afterwards.

    Attributes:
        values: Its numbers; empty for an array of objects.
        objects: What an array of objects holds, None for one of numbers.
    """

    __slots__ = ("objects", "values")

    def __init__(self) -> None:
        self.values: NDArray[Any] = np.empty(0)
        self.objects: list[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, raw = state
        if kind.dtype.hasobject:
            if not isinstance(raw, list) or tuple(shape) != (len(raw),):
                raise pickle.UnpicklingError("it holds an array of objects that is no list")
            self.objects = raw
            return
        content = raw.encode("latin1") if isinstance(raw, str) else raw
        self.values = _numbers(content, kind, shape, "F" if fortran else "C")


@final
class _Dtype:
    """A number type: its code, and the byte order that the pickle sets afterwards."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any) -> None:
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in "biuf" and self.dtype != np.dtype(object):
            raise pickle.UnpicklingError(f"it holds {self.dtype}, not plain numbers")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


def _numbers(content: Any, kind: _Dtype, shape: Any, order: Any) -> NDArray[Any]:
    if kind.dtype.hasobject or not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError("it holds an array that is not made of numbers")
    return np.frombuffer(bytes(content), kind.dtype).reshape(tuple(shape), order=order)


def _from_buffer(content: Any, kind: _Dtype, shape: Any, order: Any) -> PickledArray:
    array = PickledArray()
    array.values = _numbers(content, kind, shape, order)
    return array


_BUILDERS: dict[str, Callable[..., Any]] = {
    "_reconstruct": lambda *_: PickledArray(),
    "_frombuffer": _from_buffer,
    "dtype": lambda code, *_: _Dtype(code),
    "scalar": lambda kind, raw: float(_numbers(raw, kind, (1,), "C")[0]),
}


class _NumericUnpickler(pickle._Unpickler):
    """The pure Python unpickler: the C one allocates whatever size a damaged pickle declares."""

    def find_class(self, module: str, name: str) -> Any:
        if module in _MODULES and name == "ndarray":
            return name
        if module not in _MODULES or name not in _BUILDERS:
            raise pickle.UnpicklingError(f"it asks for {f'{module}.{name}'!r}")
        build = _BUILDERS[name]
        # A fresh function each time: attributes that a pickle sets on it are gone with it.
        return lambda *arguments: build(*arguments)
