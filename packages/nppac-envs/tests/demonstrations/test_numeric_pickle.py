from __future__ import annotations

import codecs
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nppac_envs.demonstrations.numeric_pickle import PickledArray, load_numeric_pickle


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", "<i8", "|b1", "|u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numeric_arrays_come_back(protocol: int, kind: str, order: Any):
    array = np.asarray(np.arange(6).reshape(2, 3), kind, order=order)
    (demo,) = load_numeric_pickle(pickle.dumps([{"x": array}], protocol))
    assert isinstance(demo["x"], PickledArray)
    np.testing.assert_array_equal(demo["x"].values, array)


def test_scalars_and_plain_data_come_back():
    raw = pickle.dumps({"a": np.float64(0.5), "b": [1, "x", None, 2.5]}, 4)
    assert load_numeric_pickle(raw) == {"a": 0.5, "b": [1, "x", None, 2.5]}


def test_an_array_is_no_key():
    """As for NumPy's own: a damaged pickle may put one there."""
    array = pickle.dumps(np.arange(3.0), 2)[2:-1]
    with pytest.raises(TypeError, match="unhashable"):
        load_numeric_pickle(pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + array + b"K\x01s.")


class Calls:
    """Pickles to a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("function", [eval, exec, getattr, __import__, np.load, np.fromfile, open])
def test_every_other_function_is_refused(function: Any):
    for protocol in range(6):
        raw = pickle.dumps(Calls(function, "x"), protocol)
        with pytest.raises(pickle.UnpicklingError, match="it asks for"):
            load_numeric_pickle(raw)


def test_object_arrays_become_lists():
    objects = np.empty(2, object)
    objects[:] = [{"a": np.arange(3)}, 1.5]
    first, second = load_numeric_pickle(pickle.dumps(objects)).objects
    assert first["a"].values.tolist() == [0, 1, 2]
    assert second == 1.5
    with pytest.raises(pickle.UnpicklingError, match="no list"):
        load_numeric_pickle(pickle.dumps(objects.reshape(1, 2)))


def test_bytes_never_become_objects_and_sizes_never_become_bytes():
    for dtype, content in ((np.dtype(object), b"8" * 16), (np.dtype(float), 10**15)):
        state = (1, (2,), dtype, False, content)
        with pytest.raises(pickle.UnpicklingError, match=r"not made of numbers|no list"):
            load_numeric_pickle(pickle.dumps(_Array(state)))


class _Array:
    """Pickles as an array with a state of choice."""

    def __init__(self, state: tuple[object, ...]) -> None:
        self.state = state

    def __reduce__(self):
        build, arguments, _ = np.zeros(1).__reduce__()
        return build, arguments, self.state


def test_setting_attributes_on_the_builders_does_not_last():
    """BUILD on a function sets its attributes; the next file must not see them."""
    hostile = (
        b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n"  # push the builder
        b"(N}\x8c\x0c__defaults__(K\x07tst"  # state: (None, {"__defaults__": (7,)})
        b"b."
    )
    assert callable(load_numeric_pickle(hostile))
    clean = b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n."
    assert load_numeric_pickle(clean).__defaults__ is None


def test_a_declared_size_is_not_allocated():
    """Twelve bytes that claim 4 GiB: Python's reader makes an array of that size first."""
    tracemalloc.start()
    with pytest.raises(Exception):  # noqa: B017, PT011
        load_numeric_pickle(b"\x80\x05\x96" + (2**32).to_bytes(8, "little") + b".")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**6


@pytest.mark.parametrize(
    "state",
    [
        (4, "<", None, None, None, -1, -1, 0),
        (3, "<", None, ("a",), {"a": (np.dtype("f8"), 0)}, 8, 1, 16),
        (3, "?", None, None, None, -1, -1, 0),
        (3, "<", None, None, None, 16, -1, 0),
        (3, "<"),
    ],
)
def test_number_types_with_more_to_them_are_refused(state: tuple[object, ...]):
    class Dtype:
        def __reduce__(self):
            return np.dtype, ("f8", False, True), state

    with pytest.raises(pickle.UnpicklingError, match="a number type that is not plain"):
        load_numeric_pickle(pickle.dumps(Dtype()))


def test_an_array_of_another_version_is_refused():
    with pytest.raises(pickle.UnpicklingError, match="an array of version 127, not 1"):
        load_numeric_pickle(pickle.dumps(_Array((127, (1,), np.dtype(float), False, bytes(8)))))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_array_that_begins_in_another_way_is_refused(place: int):
    build, arguments, state = np.zeros(1).__reduce__()
    changed = [*arguments]
    changed[place] = (3,)
    array = Calls(build, *changed)
    array.call = (*array.call, state)
    with pytest.raises(pickle.UnpicklingError, match="begins an array in another way"):
        load_numeric_pickle(pickle.dumps(array))


def test_a_number_type_without_a_code_is_refused():
    with pytest.raises(pickle.UnpicklingError, match="a number type that is not plain"):
        load_numeric_pickle(pickle.dumps(Calls(np.dtype, ("O8",), False, True)))


def test_a_text_that_is_shorter_than_declared_is_refused():
    with pytest.raises(EOFError, match="in the middle of a value"):
        load_numeric_pickle(b"\x80\x03X\x09\x00\x00\x00short.")


def test_one_string_cannot_become_many_arrays():
    """Each array costs eight bytes of the pickle, and would take a kilobyte of memory."""
    array = np.zeros(1000, np.uint8)
    build = array.__reduce_ex__(5)[0]
    content = bytes(1000)
    many = [Calls(build, content, array.dtype, (1000,), "C") for _ in range(100)]
    raw = pickle.dumps(many, 5)
    assert len(raw) < 10_000
    with pytest.raises(pickle.UnpicklingError, match="the same bytes for several arrays"):
        load_numeric_pickle(raw)
    assert len(load_numeric_pickle(pickle.dumps([many[0]] * 100, 5))) == 100


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_noise_raises_ordinary_exceptions(noise: bytes):
    """Nothing but `Exception`: no exit, no crash, no runaway memory."""
    try:
        load_numeric_pickle(b"\x80\x04" + noise)
    except Exception as error:
        assert isinstance(error, Exception)  # noqa: PT017


def test_text_becomes_bytes_once_and_in_one_way():
    """Otherwise a small pickle would become a lot of bytes."""
    text = "\xe9" * 1000
    once = Calls(codecs.encode, text, "latin1")
    assert load_numeric_pickle(pickle.dumps([once], 2)) == [text.encode("latin1")]
    many = pickle.dumps([Calls(codecs.encode, text, "latin1") for _ in range(500)], 2)
    with pytest.raises(pickle.UnpicklingError, match="same text for several"):
        load_numeric_pickle(many)
    for encoding in ("hex", "rot13", "utf-16"):
        with pytest.raises(pickle.UnpicklingError, match="in another way"):
            load_numeric_pickle(pickle.dumps(Calls(codecs.encode, text, encoding), 2))
