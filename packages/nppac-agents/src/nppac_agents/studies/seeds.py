"""Seeds in a study file: a list, or a range."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field


def _read_seeds(value: Any) -> Any:
    """`"0:6"` as the seeds from 0 to 5; anything else as it is."""
    match = re.fullmatch(r"\s*(\d+):(\d+)\s*", value) if isinstance(value, str) else None
    if match is None:
        return value
    first, end = int(match[1]), int(match[2])
    if not 0 < end - first <= 10_000:
        raise ValueError(
            f"{value!r} has to read FIRST:END, with 1 to 10,000 seeds and END left out"
        )
    return tuple(range(first, end))


def _different(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("one is given twice")
    return seeds


Seed = Annotated[int, Field(ge=0, lt=2**31)]
_Range = Annotated[str, Field(pattern=r"^\s*\d+:\d+\s*$")]
Seeds = Annotated[
    tuple[Seed, ...],
    BeforeValidator(_read_seeds, json_schema_input_type=tuple[Seed, ...] | _Range),
    AfterValidator(_different),
    Field(min_length=1),
]
