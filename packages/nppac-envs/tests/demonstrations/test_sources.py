from __future__ import annotations

from typing import Any

import pytest
from nppac_envs import (
    AwacConfig,
    CsvConfig,
    D4rlConfig,
    DapgConfig,
    DemonstrationsSource,
    LerobotConfig,
    MinariConfig,
    NpzConfig,
    RobomimicConfig,
    ShippedConfig,
)
from nppac_envs.demonstrations.locations import SOURCES
from pydantic import TypeAdapter, ValidationError

ADAPTER: TypeAdapter[Any] = TypeAdapter(DemonstrationsSource)
CONFIGS = [
    MinariConfig(id="door/human-v0", n_episodes=5),
    NpzConfig(path="mine.npz", clip=True),
    CsvConfig(path="mine.csv", action_range=(-2, [1.0, 3.0])),
    D4rlConfig(path="set.hdf5"),
    RobomimicConfig(path="low_dim.hdf5", mask="train"),
    DapgConfig(path="demos.pickle"),
    AwacConfig(path="paths.npy", hash="0" * 64),
    LerobotConfig(path="folder"),
    ShippedConfig(name="door"),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_sources_are_told_apart_and_survive_json(config):
    assert ADAPTER.validate_json(config.model_dump_json()) == config
    assert {"source", "n_episodes", "clip"} <= config.model_dump().keys()


def test_every_source_is_in_the_union():
    schema = ADAPTER.json_schema()
    assert set(schema["discriminator"]["mapping"]) == {config.source for config in CONFIGS}
    assert set(SOURCES) == {config.source for config in CONFIGS}


def test_errors_name_the_field_of_the_chosen_source():
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python({"source": "minari", "path": "x"})
    assert {error["loc"] for error in caught.value.errors()} == {
        ("minari", "id"),
        ("minari", "path"),
    }
    with pytest.raises(ValidationError, match=r"'minari', 'npz', .*'shipped'"):
        ADAPTER.validate_python({"source": "hdf5"})
