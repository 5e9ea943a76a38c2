from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nppac_priors.errors import ConfigError
from nppac_priors.strict_json import NotJsonError, parse_json, read_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_json_holds_comes_back(value):
    read = parse_json(json.dumps(value))
    assert read == value
    assert json.dumps(read) == json.dumps(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": {"b": [0, 1e400]}}', "a.b[1]: 1e400 is beyond the largest number"),
        ('{"a": -1e999}', "a: -1e999 is beyond the largest number"),
        ('{"a": NaN}', "a: NaN is not JSON; numbers have to be finite"),
        ('[{"x": -Infinity}]', "[0].x: -Infinity is not JSON; numbers have to be finite"),
        ("9223372036854775808", "9223372036854775808 is too large; integers have to fit into 64"),
        ('{"a": -99999999999999999999}', "a: -99999999999999999999 is too large"),
        ('{"a": ' + "9" * 5000 + "}", "a: an integer of 5000 digits is too large"),
        ('{"a": 1, "a": 2}', "field 'a' is given twice in one object; keep one"),
        ("[" * 65 + "]" * 65, "[0][0]"),
        ('{"a":' * 65 + "{}" + "}" * 65, "a.a.a"),
        ('{"a": "x\\ud800"}', "a: 'x\\ud800' holds half of a character at position 1"),
        ('{"a": {"\\udfff": 1}}', "a: '\\udfff' holds half of a character at position 0"),
    ],
)
def test_what_would_not_come_back_is_refused_with_its_field(text, message):
    with pytest.raises(ConfigError) as caught:
        parse_json(text)
    assert str(caught.value).startswith(message)
    assert not isinstance(caught.value, NotJsonError)


def test_a_digit_string_and_a_word_stay_text():
    assert parse_json('["NaN", "1e400", "' + "9" * 5000 + '"]') == ["NaN", "1e400", "9" * 5000]


def test_64_levels_are_read():
    assert parse_json("[" * 64 + "]" * 64)[0] == parse_json("[" * 63 + "]" * 63)


def test_the_largest_numbers_are_read():
    assert parse_json("[9223372036854775807, -9223372036854775807]") == [2**63 - 1, 1 - 2**63]
    assert parse_json("1.7976931348623157e308") == math.nextafter(math.inf, 0)


@pytest.mark.parametrize("text", ["", "{", "nan", "01", "[" * 100_000, '{"a":' * 100_000])
def test_a_text_that_is_no_json(text):
    with pytest.raises(NotJsonError, match="not JSON"):
        parse_json(text)


def test_a_file_is_named_in_every_refusal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    contents = {
        "twice.json": b'{"a": 1, "a": 2}',
        "large.json": b'{"a": 1e400}',
        "long.json": b'"' + b"x" * 2**24 + b'"',
        "latin.json": b'"\xe9"',
        "half.json": b'{"a"',
    }
    for name, content in contents.items():
        Path(name).write_bytes(content)
    Path("folder.json").mkdir()
    for name in (*contents, "folder.json", "none.json", "nul\0.json"):
        with pytest.raises(ConfigError) as caught:
            read_json(Path(name))
        assert name.replace("\0", "\\x00") in str(caught.value)
        assert "\n" not in str(caught.value)
        assert ("is larger than 16 MiB" in str(caught.value)) == (name == "long.json")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device here")
def test_a_device_without_end_is_no_configuration():
    with pytest.raises(ConfigError, match="/dev/zero: is no regular file"):
        read_json(Path("/dev/zero"))


def test_a_byte_order_mark_and_a_home_folder_are_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.json").write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(Path("~/a.json")) == {"a": 1}
