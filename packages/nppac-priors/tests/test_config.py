from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from nppac_priors.config import ComponentConfig, Config, PriorConfig, error_lines
from nppac_priors.errors import DataError, DeviceError
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


class Asked(Exception):
    """What `_fit` was called with."""


class AskingConfig(PriorConfig):
    kind: Literal["asking"] = "asking"

    def _fit(self, *arguments: Any, **options: Any) -> Any:
        raise Asked(arguments, options)

    def from_state(self, tensors: Any, *, device: Any = "cpu") -> Any:
        raise NotImplementedError


class Unread:
    """An array whose shape is known and whose numbers nobody may read."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape


def asked(*arrays: Any, **options: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    with pytest.raises(Asked) as caught:
        AskingConfig().fit(*arrays, **options)
    return caught.value.args


def test_a_kind_gets_the_arrays_unread_and_all_that_was_left_out():
    states, actions = Unread(40, 3), Unread(40, 2)
    arrays, options = asked(states, actions)
    assert arrays == (states, actions)
    generator = options.pop("generator")
    assert torch.equal(
        torch.rand(3, generator=generator),
        torch.rand(3, generator=torch.Generator().manual_seed(0)),
    )
    assert options.pop("episode_lengths").tolist() == [40]
    assert torch.equal(options.pop("weights"), torch.ones(40))
    assert options == {"device": torch.device("cpu"), "progress": None}


def test_a_kind_gets_what_was_given_in_one_type():
    generator, weights = torch.Generator(), [0.0, 2.0, 1.0]
    _, options = asked(
        Unread(3, 1),
        Unread(3, 1),
        episode_lengths=[2, 1],
        weights=weights,
        generator=generator,
        progress=print,
    )
    assert torch.equal(options["episode_lengths"], torch.tensor([2, 1]))
    assert torch.equal(options["weights"], torch.tensor(weights))
    assert options["generator"] is generator
    assert options["progress"] is print


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        (((3, 2), (4, 2)), {}, "got 3 and 4"),
        (((0, 2), (0, 2)), {}, "got 0 and 0"),
        (((3,), (3, 2)), {}, r"^states: expected shape \(n, columns\), got \(3,\)"),
        (((3, 2), (3, 2, 1)), {}, r"^actions: expected shape \(n, columns\), got \(3, 2, 1\)"),
        (((3, 0), (3, 2)), {}, r"^states: .* got \(3, 0\)"),
        (((3, 2), (3, 2)), {"episode_lengths": [2, 2]}, "^episode_lengths: .* the 3 steps"),
        (((3, 2), (3, 2)), {"weights": [1.0, 1.0]}, "^weights: expected 3 .* got 2"),
        (((3, 2), (3, 2)), {"weights": [1.0, -1.0, 1.0]}, "^weights: .* smallest -1"),
    ],
)
def test_what_does_not_go_together_never_reaches_a_kind(shapes, options, message):
    with pytest.raises(DataError, match=message):
        AskingConfig().fit(*(Unread(*shape) for shape in shapes), **options)


def test_rows_of_different_lengths_never_reach_a_kind():
    with pytest.raises(DataError, match=r"^actions: rows differ in length"):
        AskingConfig().fit([[0.0], [1.0]], [[0.0], [1.0, 2.0]])


def test_a_device_that_cannot_be_used_never_reaches_a_kind():
    with pytest.raises(DeviceError, match="no-such-device"):
        AskingConfig().fit(Unread(3, 2), Unread(3, 2), device="no-such-device")


def test_a_kind_that_replaces_fit_is_told_what_to_write():
    with pytest.raises(TypeError, match=r"^OldConfig overrides fit.* rename it to _fit\(self, "):

        class OldConfig(PriorConfig):
            kind: Literal["old"] = "old"

            def fit(self, states: Any, actions: Any, **options: Any) -> Any: ...
