"""JSON as it is read from a user: what cannot be written back the same is refused.

Python's reader takes `NaN`, makes infinity of 1e400, keeps the last of two fields of one name, and
raises an error of its own for an integer of many digits.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, final

from nppac_priors.errors import ConfigError
from nppac_priors.user_files import existing_file, user_path, where_relative

_LARGEST_INTEGER = 2**63 - 1
_MAX_BYTES = 16 * 2**20
_MAX_DEPTH = 64


class NotJsonError(ConfigError):
    """A text that is no JSON at all."""


def read_json(path: Path) -> Any:
    """The value that a JSON file of at most 16 MiB holds, with or without a byte order mark.

    Raises:
        ConfigError: It cannot be read, or `parse_json` refuses it; the message names the file.
    """
    if user_path(path).exists():
        existing_file(path, ConfigError)
    try:
        with user_path(path).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ConfigError(f"is larger than {_MAX_BYTES // 2**20} MiB")
        return parse_json(content.decode("utf-8-sig"))
    except FileNotFoundError:
        folder = where_relative(user_path(path))
        raise ConfigError(f"{path}: no such file{folder}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: byte {error.start}: {error.reason}") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except ValueError as error:
        raise ConfigError(f"{str(path)!r}: cannot be read: {error}") from None


def parse_json(text: str) -> Any:
    """The value that a JSON text holds.

    Raises:
        NotJsonError: It is not JSON.
        ConfigError: It gives a field twice, is nested deeper than 64 levels, or holds a number
            that is not finite, an integer beyond 64 bits, or text that UTF-8 cannot hold; the
            message names the field.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_Unusable,
            parse_float=_float,
            parse_int=_integer,
        )
        _refuse_unusable(value, "", 0)
    except json.JSONDecodeError as error:
        raise NotJsonError(
            f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise NotJsonError("not JSON: nested too deeply") from None
    return value


@final
class _Unusable(str):
    """The text of a number that no field can hold."""

    __slots__ = ()


def _float(text: str) -> float | _Unusable:
    number = float(text)
    return number if math.isfinite(number) else _Unusable(text)


def _integer(text: str) -> int | _Unusable:
    if len(text) > 20 or abs(int(text)) > _LARGEST_INTEGER:
        return _Unusable(text)
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise ConfigError(f"field {key!r} is given twice in one object; keep one")
        data[key] = value
    return data


def _refuse_unusable(value: Any, path: str, depth: int) -> None:
    """Walk to the first value that cannot be used, to name its field."""
    where = f"{path}: " if path else ""
    if isinstance(value, _Unusable):
        raise ConfigError(where + _reason(value))
    if isinstance(value, str):
        _refuse_surrogates(value, where)
    elif depth == _MAX_DEPTH and isinstance(value, list | dict):
        raise ConfigError(f"{where[:60]}... is nested deeper than {_MAX_DEPTH} levels")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_unusable(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_surrogates(key, where)
            _refuse_unusable(item, f"{path}.{key}" if path else key, depth + 1)


def _reason(number: _Unusable) -> str:
    if number.lstrip("-").isdigit():
        shown = number if len(number) <= 30 else f"an integer of {len(number.lstrip('-'))} digits"
        return f"{shown} is too large; integers have to fit into 64 bits"
    if number in ("NaN", "Infinity", "-Infinity"):
        return f"{number} is not JSON; numbers have to be finite"
    return f"{number[:30]} is beyond the largest number, about 1.8e308"


def _refuse_surrogates(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{where}{text[:60]!r} holds half of a character at position {error.start}"
        ) from None
