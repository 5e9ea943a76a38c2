from __future__ import annotations

from typing import Literal

import pytest
from nppac_priors.config import ComponentConfig, Config, error_lines
from pydantic import BaseModel, Field, ValidationError, field_validator


class Inner(Config):
    width: int = Field(1, gt=0)


class Outer(ComponentConfig):
    kind: Literal["outer"] = "outer"
    inner: Inner = Inner()
    rows: tuple[Inner, ...] = ()
    name: str = ""


def lines(data: object, where: str = "") -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    return error_lines(caught.value, where)


def test_configs_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Inner().width = 2


def test_an_unknown_field_is_refused_with_the_closest_match():
    (line,) = lines({"inner": {"widht": 2}})
    assert line == "inner: unknown field 'widht' (did you mean 'width'?); known: width"


def test_several_unknown_fields_are_named_together():
    (line,) = lines({"a": 1, "b": 2})
    assert line == "unknown fields 'a', 'b'; known: inner, kind, name, rows"


def test_error_lines_have_the_path_of_each_problem():
    assert lines({"inner": {"width": 0}, "rows": [{}, {"width": "x"}]}, "prior") == [
        "prior.inner.width: input should be greater than 0, got 0",
        "prior.rows[1].width: input should be a valid integer, unable to parse string as an "
        "integer, got 'x'",
    ]


def test_the_message_of_a_validator_is_the_message():
    class Even(BaseModel):
        width: int

        @field_validator("width")
        @classmethod
        def _even(cls, width: int) -> int:
            if width % 2:
                raise ValueError("has to be even, as halves are stacked")
            return width

    with pytest.raises(ValidationError) as caught:
        Even(width=3)
    assert error_lines(caught.value) == ["width: has to be even, as halves are stacked, got 3"]


def test_a_long_value_is_cut():
    class Short(BaseModel):
        text: str = Field(max_length=3)

    with pytest.raises(ValidationError) as caught:
        Short(text="x" * 1000)
    (line,) = error_lines(caught.value)
    assert len(line) < 200


def test_kind_is_required_in_files():
    assert Outer.model_json_schema()["required"] == ["kind"]


def test_problems_are_told_in_the_words_of_json() -> None:
    class Inner(Config):
        widths: tuple[int, ...] = ()

    class Outer(Config):
        inner: Inner

    for data, line in (
        ({"inner": {"widths": 3}}, "inner.widths: input should be a list, got 3"),
        ({"inner": 3}, "inner: input should be an object, got 3"),
    ):
        with pytest.raises(ValidationError) as error:
            Outer.model_validate(data)
        assert error_lines(error.value) == [line]
