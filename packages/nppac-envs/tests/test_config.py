from __future__ import annotations

import pytest
from nppac_envs import DapgConfig, DoorConfig, MinariConfig, NpzConfig, PenConfig, ShippedConfig
from nppac_envs.plugin import nppac_env_configs
from pydantic import BaseModel, ValidationError

CONFIGS = [*nppac_env_configs(), DapgConfig, MinariConfig, NpzConfig, ShippedConfig]


@pytest.mark.parametrize("config", CONFIGS)
def test_every_field_is_described(config: type[BaseModel]):
    for name, field in config.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize("config", [DoorConfig(), PenConfig()])
def test_configs_are_frozen(config: DoorConfig | PenConfig):
    with pytest.raises(ValidationError, match="frozen"):
        config.horizon = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    "settings",
    [
        {"horizons": 5},
        {"horizon": 0},
        {"reward": "shaped"},
        {"terminate_when_dropped": True},
        {"kind": "pen"},
        {"horizon": 2.5},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object]):
    with pytest.raises(ValidationError):
        DoorConfig.model_validate(settings)
