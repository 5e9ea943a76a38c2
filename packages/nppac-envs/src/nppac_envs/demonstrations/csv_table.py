"""The table that a CSV file holds, whatever the language of the spreadsheet that wrote it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from nppac_envs.errors import DataError

_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")


def read_table(path: Path, where: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows, each as long as the header.

    Columns are separated by what the header has: commas, semicolons or tabs. With the latter two a
    comma in a number is a decimal comma.

    Raises:
        DataError: The file cannot be read, or is no such table.
    """
    text = _text(path, where)
    mark = _separator(text.partition("\n")[0])
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        header = [name.strip() for name in next(reader, [])]
        rows = []
        for row in reader:
            if row and len(row) != len(header):
                raise DataError(
                    f"{where}: line {reader.line_num} has {len(row)} values, "
                    f"the header has {len(header)} names"
                )
            if row:
                rows.append(row if mark == "," else [_with_point(value) for value in row])
    except csv.Error as error:
        raise DataError(f"{where}: is no CSV file ({error})") from error
    if not rows:
        raise DataError(f"{where}: needs a header line with names and a line for each step")
    return header, rows


def _text(path: Path, where: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror})") from error
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: is no CSV file in UTF-8 ({error}); save it again as CSV UTF-8"
        ) from error


def _separator(header: str) -> str:
    """The mark that the header has most often outside quotes; a comma where it has none."""
    plain = re.sub(r'"[^"]*"', "", header)
    counts = {mark: plain.count(mark) for mark in (",", ";", "\t")}
    return max(counts, key=lambda mark: counts[mark])


def _with_point(value: str) -> str:
    return value.replace(",", ".") if _DECIMAL_COMMA.fullmatch(value) else value
