"""A logger of a plugin is found, named in an experiment, and checked."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from nppac_agents.experiment.config import LoggingConfig
from nppac_agents.loggers import hookspecs
from nppac_agents.loggers.logger import Logger, LoggerConfig, opened
from nppac_agents.loggers.registry import logger_registry
from nppac_priors.errors import ContractError
from nppac_priors.plugin_loading import Hook, components_of
from nppac_priors.registry import Registry
from pydantic import ValidationError


class TextConfig(LoggerConfig):
    """Lines of text."""

    kind: Literal["text"] = "text"
    name: str = "events.txt"

    def open(self, run_dir: Path) -> Logger:
        raise NotImplementedError


@pytest.fixture
def registry():
    """The installed loggers, and those of a plugin object."""
    plugin = SimpleNamespace(nppac_logger_configs=hookspecs.hookimpl(lambda: [TextConfig]))
    hook = Hook(hookspecs.PROJECT, hookspecs, "nppac_logger_configs", LoggerConfig)
    own = logger_registry().components.values()
    return Registry("logger", LoggerConfig, [*own, *components_of(plugin, hook, "lab", "1.0")])


def test_a_plugin_object_provides_a_logger_by_kind(registry):
    assert registry.components["text"].distribution == "lab"
    assert registry.parse({"kind": "text", "name": "x"}) == TextConfig(name="x")
    assert registry.components["tensorboard"].distribution == "nppac-agents"


def test_a_file_names_loggers_by_kind_and_tensorboard_by_its_switch():
    found = LoggingConfig.model_validate({"loggers": [TextConfig()], "tensorboard": False})
    assert found.all_loggers() == (TextConfig(),)
    assert [logger.kind for logger in LoggingConfig().all_loggers()] == ["tensorboard"]
    with pytest.raises(ValidationError, match="unknown logger kind 'txt'"):
        LoggingConfig.model_validate({"loggers": [{"kind": "txt"}]})
    with pytest.raises(ValidationError, match="a switch of its own"):
        LoggingConfig.model_validate({"loggers": [{"kind": "tensorboard"}]})


def test_what_is_no_logger_is_refused_when_it_is_opened(tmp_path):
    class Broken(TextConfig):
        def open(self, run_dir: Path) -> Any:
            return object()

    with pytest.raises(ContractError, match=r"open\(\) returned a object, has to have write and"):
        opened(Broken(), tmp_path)
