"""Unpickling of plain numeric arrays and of lists of them, and of nothing else.

A pickle is a program. This reader runs it with seven names allowed, those that NumPy writes to
rebuild arrays, dtypes and scalars, that of bytes in old protocols, and ordered dicts, and each is
answered by a function of this module that makes numbers from bytes: neither a stranger's code nor
NumPy's own unpickling code is ever called. What the pickle declares is never allocated before it is
there, and the numbers of all arrays together take no more bytes than the pickle.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

Numbers = Callable[[Any, Any, Any, Any], NDArray[Any]]
"""From bytes, dtype, shape and order to an array."""

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
    return _NumericUnpickler(raw).load()


@final
class PickledArray:
    """A stand-in for an array, which a pickle makes empty first and fills afterwards.

    Attributes:
        values: Its numbers; empty for an array of objects.
        objects: What an array of objects holds, None for one of numbers.
    """

    __slots__ = ("_numbers", "objects", "values")
    __hash__ = None  # pyright: ignore[reportAssignmentType]  # no key of a dict, as no array is

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self.values: NDArray[Any] = np.empty(0)
        self.objects: list[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, shape, kind, fortran, raw = state
        if version != 1:
            raise pickle.UnpicklingError(f"it holds an array of version {version!r:.20}, not 1")
        if kind.dtype.hasobject:
            if not isinstance(raw, list) or tuple(shape) != (len(raw),):
                raise pickle.UnpicklingError("it holds an array of objects that is no list")
            self.objects = raw
            return
        content = raw.encode("latin1") if isinstance(raw, str) else raw
        self.values = self._numbers(content, kind, shape, "F" if fortran else "C")


@final
class _Dtype:
    """A number type: its code, and the byte order that the pickle sets afterwards."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any) -> None:
        if not isinstance(code, str):
            raise pickle.UnpicklingError("it holds a number type that is not plain")
        self.dtype = np.dtype(code)
        if self.dtype.kind not in "biuf" and self.dtype != np.dtype(object):
            raise pickle.UnpicklingError(f"it holds {self.dtype}, not plain numbers")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        # Version, byte order; no part of another dtype, no names, no fields, the usual size.
        plain = len(state) == 8 and state[0] == 3 and state[2:7] == (None, None, None, -1, -1)
        if not plain or state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError("it holds a number type that is not plain")
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


@final
class _Reader:
    """Makes numbers from bytes, and counts the bytes: a pickle can name one string many times."""

    def __init__(self, size: int) -> None:
        self._left = self._text_left = size

    def numbers(self, content: Any, kind: _Dtype, shape: Any, order: Any) -> NDArray[Any]:
        if kind.dtype.hasobject or not isinstance(content, bytes | bytearray):
            raise pickle.UnpicklingError("it holds an array that is not made of numbers")
        self._left -= len(content)
        if self._left < 0:
            raise pickle.UnpicklingError("it uses the same bytes for several arrays")
        return np.frombuffer(bytes(content), kind.dtype).reshape(tuple(shape), order=order)

    def empty(self, kind: Any, shape: Any, code: Any) -> PickledArray:
        if (kind, shape) != ("ndarray", (0,)) or code not in (b"b", "b"):
            raise pickle.UnpicklingError("it begins an array in another way than numpy does")
        return PickledArray(self.numbers)

    def array(self, content: Any, kind: _Dtype, shape: Any, order: Any) -> PickledArray:
        array = PickledArray(self.numbers)
        array.values = self.numbers(content, kind, shape, order)
        return array

    def encode(self, text: Any, encoding: Any) -> bytes:
        """How Python 3 writes bytes in the protocols of Python 2."""
        if not isinstance(text, str) or encoding != "latin1":
            raise pickle.UnpicklingError("it encodes text in another way than bytes are written")
        self._text_left -= len(text)
        if self._text_left < 0:
            raise pickle.UnpicklingError("it uses the same text for several arrays")
        return text.encode("latin1")

    def builders(self) -> dict[str, Callable[..., Any]]:
        """What answers each name; fresh functions, so attributes set on them do not last."""
        return {
            "_reconstruct": lambda *arguments: self.empty(*arguments),
            "_frombuffer": lambda *arguments: self.array(*arguments),
            "dtype": lambda code, *_: _Dtype(code),
            "_codecs.encode": self.encode,
            "collections.OrderedDict": lambda: {},
            "scalar": lambda kind, raw: float(self.numbers(raw, kind, (1,), "C")[0]),
        }


@final
class _Bytes(io.BytesIO):
    """A file that has as many bytes as it is asked for, or none."""

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        if size is not None and len(content) < size:
            raise EOFError("it ends in the middle of a value")
        return content


class _NumericUnpickler(pickle._Unpickler):
    """The pure Python unpickler: the C one allocates whatever size a damaged pickle declares."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(_Bytes(raw), encoding="latin1")
        self._builders = _Reader(len(raw)).builders()

    def find_class(self, module: str, name: str) -> Any:
        if module in _MODULES and name == "ndarray":
            return name
        # NumPy's names by themselves, since its modules were renamed; others with their modules.
        builder = self._builders.get(name if module in _MODULES else f"{module}.{name}")
        if builder is None:
            raise pickle.UnpicklingError(f"it asks for {f'{module}.{name}'!r}")
        return builder

    def load_bytearray8(self) -> None:
        """In place of the one that allocates first and reads then."""
        unpickler: Any = self
        (size,) = struct.unpack("<Q", unpickler.read(8))
        unpickler.append(bytearray(unpickler.read(size)))

    dispatch: ClassVar[Any] = {
        **pickle._Unpickler.dispatch,
        pickle.BYTEARRAY8[0]: load_bytearray8,
    }
