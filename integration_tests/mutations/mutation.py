"""What a mutation is: a text of one source file, what stands there instead, and who notices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Attributes:
        what: the fault in words.
        file: below the project's root.
        old: what the file says, exactly once.
        new: what it says instead.
        tests: arguments for pytest; paths below the project's root.
    """

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, source: str) -> str:
        """The file's text with the fault in it.

        Raises:
            ValueError: the old text is not there exactly once.
        """
        found = source.count(self.old)
        if found != 1:
            raise ValueError(f"{self.file}: {self.old!r} is there {found} times, not once")
        return source.replace(self.old, self.new)


def mutations_of(package: str, rows: Iterable[tuple[str, str, str, str, str]]) -> list[Mutation]:
    """Mutations of one package.

    Args:
        package: its folder below `packages`.
        rows: what, file below the package's sources, old, new, and the tests: files below the
            package's tests, then options such as `-k NAME`, separated by spaces.
    """
    sources = f"packages/{package}/src/{package.replace('-', '_')}/"
    tests = f"packages/{package}/tests/"
    return [
        Mutation(
            what,
            sources + file,
            old,
            new,
            tuple(tests + part if part.endswith(".py") else part for part in noticed.split(" ", 2)),
        )
        for what, file, old, new, noticed in rows
    ]
