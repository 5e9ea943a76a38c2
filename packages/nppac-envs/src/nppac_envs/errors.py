"""The errors of this package; every message is one line that says what, where and what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


class EnvsError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigError(EnvsError):
    """A setting that cannot be carried out: an unknown name, a machine without a renderer."""


class DataError(EnvsError):
    """Demonstrations that cannot be used: a broken file, wrong shapes, values out of range.

    As text its advice names fields of a config; `in_options` names options of `nppac-demos`.

    Attributes:
        message: What is wrong, and where.
        advice: What to do, with `{name}` in the place of a setting.
        settings: Fields of a source's config with the values that are advised; a tuple has words
            in the place of values, such as LOW and HIGH.
    """

    def __init__(self, message: str, advice: str = "", **settings: Any) -> None:
        """Keep all three."""
        self.message, self.advice, self.settings = message, advice, settings
        fields = {name: _as_field(name, value) for name, value in settings.items()}
        super().__init__(f"{message}; {advice.format(**fields)}" if advice else message)

    def in_options(self) -> str:
        """The line as a command says it."""
        options = {
            name: " ".join(option_words(name, value)) for name, value in self.settings.items()
        }
        text = f"{self.message}; {self.advice.format(**options)}" if self.advice else self.message
        return " ".join(text.split())


class EndsError(DataError):
    """Steps of several episodes, end to end, of which nothing says where an episode ends.

    Attributes:
        states: (N, S) of all steps.
    """

    def __init__(self, message: str, advice: str, states: Any, **settings: Any) -> None:
        """As `DataError`, and the states."""
        self.states = states
        super().__init__(message, advice, **settings)


class EpisodesError(DataError):
    """Single episodes that cannot be used; without them the set can.

    Attributes:
        episodes: Their numbers in the file, the first one is 0.
    """

    def __init__(
        self, message: str = "", episodes: Sequence[int] = (), exclude: Sequence[int] = ()
    ) -> None:
        """`exclude` has the episodes that are left out already."""
        self.episodes = sorted(episodes)
        left_out = sorted({*episodes, *exclude})
        super().__init__(message, "or leave out what cannot be used: {exclude}", exclude=left_out)


def _as_field(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        words = ", ".join(map(str, value))
        return f"{name}: {words if len(value) == 1 else f'[{words}]'}"
    return f"{name}: {json.dumps(value)}"


def option_words(name: str, value: Any) -> list[str]:
    """An option of `nppac-demos` and what follows it, from a setting and its value."""
    option = "--map" if name == "fields" else f"--{name.replace('_', '-')}"
    if value is True:
        return [option]
    if isinstance(value, dict):
        return [option, *(f"{ours}={theirs}" for ours, theirs in value.items())]
    if isinstance(value, tuple):
        return [option, *map(_with_commas, value)]
    return [option, _with_commas(value)]


def _with_commas(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


class FaultyEnvironmentError(EnvsError):
    """An environment that breaks the contract of `EnvConfig.make`, or whose code raised an error.

    Attributes:
        plugin: Distribution and version of the plugin that it is of; None if it is of none.
    """

    def __init__(self, message: str, plugin: str | None = None) -> None:
        """Keep both."""
        super().__init__(message)
        self.plugin = plugin
