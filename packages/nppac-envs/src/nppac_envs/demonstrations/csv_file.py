"""Demonstrations from a CSV file: one row a step, a header line with the names of the columns.

Columns may be separated by commas, semicolons or tabs; in the latter two numbers may have decimal
commas, as spreadsheets of many languages write them. The text is UTF-8, or UTF-16 with its mark.

A name of `CsvFields` stands for one column, for numbered ones (`state` finds `state_0`, `state.1`,
`state[2]` or `state3`, in the order of their numbers), or for several names with commas between
them (`x,y,theta`). A new episode starts where the episode column changes. The state after an
episode's last action is not in such a file, so its last row's state becomes the final state and
that row's action is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nppac_envs.demonstrations.config import FileConfig, Say
from nppac_envs.demonstrations.csv_table import read_table
from nppac_envs.demonstrations.field_map import FieldNames, named, renamed
from nppac_envs.demonstrations.file_guard import regular_file
from nppac_envs.demonstrations.findings import Finding, holes_finding, left_out_finding
from nppac_envs.demonstrations.flat_steps import arrays_of_steps, ends_of_length
from nppac_envs.errors import DataError, EndsError, EpisodesError

_TIME = re.compile(r"(?i)t|time.*|.*index|step|frame")
"""Columns that count rows, and are no state."""
_WORDS = {"true": 1.0, "false": 0.0, "": np.nan}
"""What pandas writes for flags, and where it has no number."""
_WANTED = {"successes": "flag (0, 1, true or false)"}


@final
class CsvFields(FieldNames, frozen=True):
    """Which columns of the file are which."""

    states: str = "state"
    """State columns."""
    actions: str = "action"
    """Action columns."""
    episodes: str = "episode"
    """Column with the number or name of the row's episode."""
    rewards: str = "reward"
    """Reward column, if there is one."""
    successes: str = "success"
    """Column of flags, if there is one."""
    times: str = "timestamp"
    """Column with the time of a row in any unit, in which holes are looked for."""


@final
class CsvConfig(FileConfig, frozen=True):
    """A CSV file: a header with the names of the columns, then one row a step."""

    source: Literal["csv"] = "csv"
    """Kind of source."""
    fields: CsvFields = named(CsvFields)
    episode_length: int | None = Field(default=None, ge=1)
    """Rows of every episode, instead of an episode column."""

    def _positions(self, header: Sequence[str]) -> dict[str, list[int]]:
        """The columns of each of our names.

        Raises:
            DataError: One is missing, or it is open which one is meant.
        """
        where = self.where()
        names: dict[str, str] = self.fields.model_dump()
        positions = {name: _columns(stored, header, where) for name, stored in names.items()}
        required = {"states", "actions"} | renamed(self.fields)
        for name, stored in names.items():
            if name in required and not positions[name]:
                raise DataError(
                    f"{where}: {_lacking(stored, name, header)}",
                    "name the one that is meant, {fields}",
                    fields={name: "THEIRS"},
                )
        for name, columns in positions.items():
            _check_columns([header[i] for i in columns], name, header, where)
        return positions

    def _remarks(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        positions: dict[str, list[int]],
        ends: NDArray[np.int64],
    ) -> Iterator[Finding]:
        """Columns that are left out, and holes in time."""
        used = {position for columns in positions.values() for position in columns}
        left_out = [
            name
            for i, name in enumerate(header)
            if i not in used and _has_numbers(rows, i) and not _TIME.fullmatch(name)
        ]
        if left_out:
            states = [header[position] for position in positions["states"]]
            yield left_out_finding(left_out, [*states, *left_out])
        if positions["times"]:
            times = _numbers(rows, positions["times"], header, self.where())[:, 0]
            inside = np.delete(np.diff(times), ends[:-1] - 1)
            if inside.size and np.median(inside) > 0:
                usual = float(np.median(inside))
                lengths = np.diff(ends, prepend=0)
                yield from holes_finding(times, lengths, usual, set(self.exclude))

    def _ends(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        positions: dict[str, list[int]],
    ) -> NDArray[np.int64]:
        """(E,) the row after each episode's last one."""
        if self.episode_length is not None:
            return ends_of_length(self.episode_length, len(rows), self.where())
        if not (columns := positions["episodes"]):
            raise EndsError(
                f"{self.where()}: {_lacking(self.fields.episodes, 'episodes', header)}",
                "name the one that is meant, {fields}, or give {episode_length}",
                _numbers(rows, positions["states"], header, self.where()),
                fields={"episodes": "THEIRS"},
                episode_length=("N",),
            )
        owners = [tuple(row[i] for i in columns) for row in rows]
        breaks = [i for i in range(1, len(rows)) if owners[i] != owners[i - 1]]
        ends = np.array([*breaks, len(rows)])
        _check_owners([owners[end - 1] for end in ends], self.where())
        return ends

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        where = self.where()
        header, rows = read_table(regular_file(self.path, where), where)
        positions = self._positions(header)
        ends = self._ends(header, rows, positions)
        for finding in self._remarks(header, rows, positions, ends):
            say(finding)
        numbers = self._arrays(header, rows, positions, ends)
        for name in ("rewards", "successes"):
            if name in numbers:
                numbers[name] = numbers[name][:, 0]
        if "successes" in numbers and not np.isin(numbers["successes"], (0, 1)).all():
            raise DataError(f"{where}: {self.fields.successes!r} (successes) must hold 0 and 1")
        return arrays_of_steps(numbers, ends, where, exclude=self.exclude)

    def _arrays(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        positions: dict[str, list[int]],
        ends: NDArray[np.int64],
    ) -> dict[str, NDArray[np.float64]]:
        """The numbers (N, columns) by our names; NaN stands for words of episodes left out.

        Raises:
            EpisodesError: Others have words in the place of numbers.
            DataError: All others do.
        """
        owner = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        numbers, problems = {}, {}
        for name in ("states", "actions", "rewards", "successes"):
            if positions[name]:
                wanted = _WANTED.get(name, "number")
                numbers[name], words = _parsed(rows, positions[name], header, self.where(), wanted)
                for row, message in words.items():
                    problems.setdefault(int(owner[row]), message)
        unknown = {e: message for e, message in problems.items() if e not in self.exclude}
        if unknown:
            message = unknown[min(unknown)]
            if set(range(len(ends))) <= {*unknown, *self.exclude}:
                raise DataError(message)
            raise EpisodesError(message, [*unknown], self.exclude)
        return numbers


def _lacking(stored: str, name: str, header: Sequence[str]) -> str:
    shown = ", ".join(map(repr, header[:20])) + (", ..." if len(header) > 20 else "")
    return f"has no column {stored!r} ({name}); it has {shown}"


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
    if len(columns) > 1 and name in ("rewards", "successes", "times"):
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
    """(N, columns) numbers.

    Raises:
        DataError: There is a word in the place of one.
    """
    values, words = _parsed(rows, positions, header, where)
    if words:
        raise DataError(words[min(words)])
    return values


def _parsed(
    rows: Sequence[Sequence[str]],
    positions: Sequence[int],
    header: Sequence[str],
    where: str,
    wanted: str = "number",
) -> tuple[NDArray[np.float64], dict[int, str]]:
    """(N, columns) numbers, and what to say of each row with something else, which is NaN.

    `wanted` is what messages call a number.
    """
    values, words = np.full((len(rows), len(positions)), np.nan), dict[int, str]()
    for number, row in enumerate(rows):
        for column, position in enumerate(positions):
            try:
                values[number, column] = _number(row[position])
            except ValueError:
                message = (
                    f"{where}: row {number + 1} has no {wanted} in column "
                    f"{header[position]!r}: {row[position][:40]!r}"
                )
                words.setdefault(number, message)
    return values, words


def _number(text: str) -> float:
    """What spreadsheets, NumPy and pandas write for a number; Python's own 1_000 is none."""
    if "_" in text:
        raise ValueError(text)
    word = text.strip().lower()
    return _WORDS[word] if word in _WORDS else float(word)


def _has_numbers(rows: Sequence[Sequence[str]], position: int) -> bool:
    """Whether a column begins with numbers, so that it may be part of a state."""
    try:
        return all(np.isfinite(_number(row[position])) for row in rows[:3])
    except ValueError:
        return False
