from __future__ import annotations

import importlib.metadata
import json
import sys
import types
from abc import ABC, abstractmethod
from typing import Annotated, Literal

import jsonschema
import pluggy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nppac_priors.config import Config, error_lines
from nppac_priors.errors import ConfigError, DuplicateKindError, UnknownKindError
from nppac_priors.plugin_loading import BrokenPlugin, Component, LeftOutPlugin
from nppac_priors.registry import ByKind, Registry
from pydantic import BaseModel, Field, SerializeAsAny, ValidationError


class Shape(BaseModel, ABC, frozen=True, extra="forbid"):
    """A base class that is not one of this package's."""

    kind: str

    @abstractmethod
    def area(self) -> float: ...


class Square(Shape):
    kind: Literal["square"] = "square"
    side: float = Field(1.0, gt=0)

    def area(self) -> float:
        return self.side**2


class Pair(Shape):
    kind: Literal["pair"] = "pair"
    left: Annotated[SerializeAsAny[Shape], ByKind(lambda: SHAPES)]
    right: Annotated[SerializeAsAny[Shape], ByKind(lambda: SHAPES)] | None = None

    def area(self) -> float:
        return self.left.area() + (self.right.area() if self.right else 0.0)


SHAPES = Registry(
    "shape",
    Shape,
    [Component("square", Square, "geometry", "1.0"), Component("pair", Pair, "geometry", "1.0")],
)

ONE_SHAPE = Registry("shape", Shape, [SHAPES.components["square"]])


class Drawing(Config):
    shape: Annotated[SerializeAsAny[Shape], ByKind(lambda: SHAPES)]
    others: tuple[Annotated[SerializeAsAny[Shape], ByKind(lambda: SHAPES)], ...] = ()
    scale: int = 1


def problems(data: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Drawing.model_validate(data)
    return error_lines(caught.value)


def test_get_returns_the_class_of_a_kind():
    assert SHAPES.get("square") is Square


def test_an_unknown_kind_lists_what_exists_and_the_closest_match():
    with pytest.raises(UnknownKindError) as caught:
        SHAPES.get("sqare", "drawing.shape")
    assert str(caught.value) == (
        "drawing.shape: unknown shape kind 'sqare' (did you mean 'square'?); "
        "known: pair (geometry 1.0), square (geometry 1.0)"
    )


@pytest.mark.medium
@given(kind=st.text())
def test_any_unknown_kind_is_a_one_line_error(kind):
    if kind in SHAPES.components:
        return
    with pytest.raises(UnknownKindError) as caught:
        SHAPES.parse({"kind": kind})
    assert str(caught.value).splitlines() == [str(caught.value)]


def test_broken_plugins_appear_in_the_message_about_an_unknown_kind():
    broken = BrokenPlugin("acme", "2.1", "acme", ImportError("no\nmodule"))
    left_out = [LeftOutPlugin("left", "0.2", "NPPAC_PLUGINS")]
    registry = Registry("shape", Shape, SHAPES.components.values(), [broken], left_out)
    with pytest.raises(UnknownKindError) as caught:
        registry.get("circle")
    assert "may provide it: acme 2.1 (ImportError: no module)" in str(caught.value)
    assert "left out: left 0.2 (NPPAC_PLUGINS does not name it)" in str(caught.value)


def test_two_classes_with_one_kind_cost_that_kind_alone():
    class Other(Square):
        pass

    components = [
        Component("square", Square, "geometry", "1.0"),
        Component("square", Other, "acme", "2.1"),
    ]
    registry = Registry("shape", Shape, [*SHAPES.components.values(), *components])
    with pytest.raises(DuplicateKindError, match=r"^x: shape .*geometry 1\.0 .* and by acme 2\.1"):
        registry.get("square", "x")
    with pytest.raises(DuplicateKindError, match="uninstall one"):
        registry.parse({"kind": "square"})
    assert set(registry.components) == set(SHAPES.components) - {"square"}
    assert len(registry.conflicts["square"]) > 1


def test_parse_validates_with_the_class_of_the_kind():
    assert SHAPES.parse({"kind": "square", "side": 2}) == Square(side=2.0)


def test_parse_returns_a_config_as_it_is():
    config = Square(side=3)
    assert SHAPES.parse(config) is config


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "square", "side": -1}, "shape.side: input should be greater than 0, got -1"),
        ({"kind": "square", "sides": 1}, "shape.sides: unknown field, got 1"),
        ({"side": 1}, "shape: has to be an object with a string 'kind'"),
        ({"kind": 3}, "shape: has to be an object with a string 'kind'"),
        ("square", "shape: has to be an object with a string 'kind'"),
        (None, "shape: has to be an object with a string 'kind'"),
        ({"kind": "pair", "left": {"kind": "circle"}}, "shape.left: unknown shape kind 'circle'"),
    ],
)
def test_parse_reports_the_field_in_one_line(data, message):
    with pytest.raises(ConfigError) as caught:
        SHAPES.parse(data)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_fields_have_paths_without_the_kind():
    assert problems({"shape": {"kind": "square", "side": 0}, "scale": "x"}) == [
        "shape.side: input should be greater than 0, got 0",
        "scale: input should be a valid integer, unable to parse string as an integer, got 'x'",
    ]


def test_an_unknown_kind_in_a_field_has_the_path_of_the_field():
    data = {"kind": "pair", "left": {"kind": "sqare"}}
    (line,) = problems({"shape": {"kind": "square"}, "others": [data]})
    assert line.startswith("others[0].left: unknown shape kind 'sqare' (did you mean 'square'?)")


def test_a_saved_config_keeps_every_field():
    drawing = Drawing(shape=Pair(left=Square(side=4), right=Square()), others=(Square(side=2),))
    text = drawing.model_dump_json()
    assert json.loads(text)["shape"]["left"] == {"kind": "square", "side": 4.0}
    assert Drawing.model_validate_json(text) == drawing
    assert Drawing.model_validate(drawing.model_dump()) == drawing


def test_the_schema_is_the_union_of_the_registered_classes():
    schema = Drawing.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert schema["$defs"]["Shape"]["discriminator"]["mapping"].keys() == {"pair", "square"}
    nested = {"kind": "pair", "left": {"kind": "pair", "left": {"kind": "square", "side": 2}}}
    assert validator.is_valid({"shape": nested})
    nested["left"]["left"]["side"] = -2
    assert not validator.is_valid({"shape": nested})
    assert not validator.is_valid({"shape": {"kind": "circle"}})


def test_the_schema_of_a_registry_with_one_class():
    class Single(BaseModel):
        shape: Annotated[SerializeAsAny[Shape], ByKind(lambda: ONE_SHAPE)]

    validator = jsonschema.Draft202012Validator(Single.model_json_schema())
    assert validator.is_valid({"shape": {"kind": "square", "side": 2}})
    assert not validator.is_valid({"shape": {"kind": "square", "side": -2}})


def test_defining_a_model_loads_no_registry():
    def load() -> Registry:
        raise RuntimeError("loaded")

    class Lazy(BaseModel):
        shape: Annotated[SerializeAsAny[Shape], ByKind(load)]

    with pytest.raises(RuntimeError, match="loaded"):
        Lazy.model_validate({"shape": {"kind": "square"}})


def plugin_module(name: str, classes: list[type]) -> types.ModuleType:
    module = types.ModuleType(name)
    module.geometry_shape_configs = pluggy.HookimplMarker("geometry.shapes")(lambda: classes)
    return module


def test_another_package_and_base_class_have_a_registry_in_the_same_way(monkeypatch):
    monkeypatch.delenv("NPPAC_PLUGINS", raising=False)
    specs = types.ModuleType("geometry_shapes.hookspecs")

    @pluggy.HookspecMarker("geometry.shapes")
    def geometry_shape_configs(): ...

    specs.geometry_shape_configs = geometry_shape_configs

    class Circle(Shape):
        kind: Literal["circle"] = "circle"

        def area(self) -> float:
            return 3.14

    modules = (
        types.ModuleType("geometry_shapes"),
        specs,
        plugin_module("geometry_shapes.plugin", [Square]),
        plugin_module("circle_plugin", [Circle]),
    )
    for module in modules:
        monkeypatch.setitem(sys.modules, module.__name__, module)
    entry_point = importlib.metadata.EntryPoint("circle", "circle_plugin", "geometry.shapes")
    registry = Registry.of("geometry_shapes", Shape, entry_points=[entry_point])
    assert {kind: c.cls for kind, c in registry.components.items()} == {
        "circle": Circle,
        "square": Square,
    }
    assert registry.noun == "shape"
    assert registry.components["square"].distribution == "geometry-shapes"
    assert registry.components["square"].version == "unknown"
