"""Demonstrations from a CSV file: one row a step, a header line with the names of the columns.

A name of `CsvFields` stands for one column, for numbered ones (`state` finds `state_0`, `state.1`,
`state[2]` or `state3`, in the order of their numbers), or for several names with commas between
them (`x,y,theta`). A new episode starts where the episode column changes. The state after an
episode's last action is not in such a file, so its last row's state becomes the final state and
that row's action is dropped.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from nppac_envs.demonstrations.config import DemonstrationsConfig
from nppac_envs.demonstrations.file_guard import regular_file
from nppac_envs.demonstrations.flat_steps import arrays_of_steps
from nppac_envs.errors import DataError


@final
class CsvFields(BaseModel, frozen=True, extra="forbid"):
    """Which columns of the file are which."""

    states: str = Field(default="state", description="State columns.")
    actions: str = Field(default="action", description="Action columns.")
    episodes: str = Field(
        default="episode", description="Column with the number or name of the row's episode."
    )
    rewards: str = Field(default="reward", description="Reward column, if there is one.")
    successes: str = Field(default="success", description="Column of 0 and 1, if there is one.")


@final
class CsvConfig(DemonstrationsConfig, frozen=True):
    """A CSV file; the module's docstring has the layout."""

    source: Literal["csv"] = Field(default="csv", description="Kind of source.")
    path: Path = Field(description="The file.")
    fields: CsvFields = Field(
        default_factory=CsvFields, description="Names of the columns in the file."
    )

    def _place(self) -> str:
        return str(self.path)

    def _read(self) -> dict[str, NDArray[Any]]:
        where = self.where()
        header, rows = _read_table(regular_file(self.path, where), where)
        names: dict[str, str] = self.fields.model_dump()
        positions = {name: _columns(stored, header, where) for name, stored in names.items()}
        for name, stored in names.items():
            required = name in ("states", "actions", "episodes", *self.fields.model_fields_set)
            if required and not positions[name]:
                raise DataError(
                    f"{where}: has no column {stored!r} ({name}); it has "
                    f"{', '.join(map(repr, header[:8]))}{', ...' if len(header) > 8 else ''}"
                )
        for name, columns in positions.items():
            _check_columns([header[i] for i in columns], name, header, where)
        owners = [tuple(row[i] for i in positions["episodes"]) for row in rows]
        breaks = [i for i in range(1, len(rows)) if owners[i] != owners[i - 1]]
        ends = np.array([*breaks, len(rows)])
        _check_owners([owners[end - 1] for end in ends], where)
        numbers = {
            name: _numbers(rows, positions[name], header, where)
            for name in ("states", "actions", "rewards", "successes")
            if positions[name]
        }
        for name in ("rewards", "successes"):
            if name in numbers:
                numbers[name] = numbers[name][:, 0]
        if "successes" in numbers and not np.isin(numbers["successes"], (0, 1)).all():
            raise DataError(f"{where}: {names['successes']!r} (successes) must hold 0 and 1")
        return arrays_of_steps(numbers, ends, where, exclude=self.exclude)


def _read_table(path: Path, where: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows, each as long as the header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
                raise DataError(
                    f"{where}: its columns are not separated by commas; write it again with commas "
                    "between columns and points in numbers"
                )
            rows = []
            for row in reader:
                if row and len(row) != len(header):
                    raise DataError(
                        f"{where}: line {reader.line_num} has {len(row)} values, "
                        f"the header has {len(header)} names"
                    )
                if row:
                    rows.append(row)
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{where}: is no CSV file in UTF-8 ({error})") from error
    if not rows:
        raise DataError(f"{where}: needs a header line with names and a line for each step")
    return header, rows


def _columns(stored: str, header: Sequence[str], where: str) -> list[int]:
    """The positions of the columns that a name stands for; none if one is missing.

    Raises:
        DataError: The numbers of numbered columns do not follow each other.
    """
    if "," in stored:
        names = [name.strip() for name in stored.split(",")]
        return [header.index(name) for name in names] if set(names) <= set(header) else []
    if stored in header:
        return [header.index(stored)]
    pattern = re.compile(re.escape(stored) + r"(?:[_. ]?(\d{1,6})|\[(\d{1,6})\])")
    matches = [(i, pattern.fullmatch(name)) for i, name in enumerate(header)]
    numbered = sorted((int(match[1] or match[2]), i) for i, match in matches if match is not None)
    for (before, i), (after, j) in pairwise(numbered):
        if after != before + 1:
            raise DataError(
                f"{where}: after column {header[i]!r} comes {header[j]!r}; if that is all there "
                f"is, name the columns of {stored!r} one by one, with commas"
            )
    return [i for _, i in numbered]


def _check_columns(columns: Sequence[str], name: str, header: Sequence[str], where: str) -> None:
    """Refuse columns that leave open which one is meant."""
    for column in columns:
        if header.count(column) > 1:
            raise DataError(f"{where}: there are {header.count(column)} columns {column[:40]!r}")
    if len(columns) > 1 and name in ("rewards", "successes"):
        raise DataError(f"{where}: {name} take one column, not {', '.join(columns)[:200]}")


def _check_owners(episodes: Sequence[tuple[str, ...]], where: str) -> None:
    """Refuse a file in which an episode goes on after another one began."""
    seen = set()
    for name in episodes:
        if name in seen:
            raise DataError(
                f"{where}: rows of episode {', '.join(name)[:40]} are not together; sort the file"
            )
        seen.add(name)


def _numbers(
    rows: Sequence[Sequence[str]], positions: Sequence[int], header: Sequence[str], where: str
) -> NDArray[np.float64]:
    """(N, columns) numbers."""
    values = np.empty((len(rows), len(positions)))
    for number, row in enumerate(rows):
        for column, position in enumerate(positions):
            try:
                values[number, column] = _number(row[position])
            except ValueError as error:
                raise DataError(
                    f"{where}: row {number + 1} has no number in column {header[position]!r}: "
                    f"{row[position][:40]!r}"
                ) from error
    return values


def _number(text: str) -> float:
    """What spreadsheets and NumPy take for a number; Python's own 1_000 is none."""
    if "_" in text:
        raise ValueError(text)
    return float(text)
