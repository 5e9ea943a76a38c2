"""From entry points to config classes, one plugin at a time.

Each entry point is loaded into a plugin manager of its own, so a plugin that fails to import, to
match a hook or to provide valid classes is recorded as a `BrokenPlugin` and costs nobody else.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import pluggy
from pydantic import BaseModel

from nppac_priors.errors import PluginError, PluginLoadError
from nppac_priors.plugin_import import LEAVE_OUT_VARIABLE, quiet_import
from nppac_priors.plugin_origin import in_one_line, let_interruption_pass, remember

logger = logging.getLogger(__name__)

ALLOW_LIST_VARIABLE = "NPPAC_PLUGINS"
"""Comma-separated distributions to load plugins from; empty means none, unset means all."""

STRICT_VARIABLE = "NPPAC_STRICT_PLUGINS"
"""`1` makes a plugin that fails to load an error."""

GROUPS = ("nppac.priors", "nppac.agents", "nppac.envs", "nppac.loggers", "nppac.executors")

_KIND = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Hook:
    """One hook of one pluggy project: what plugins implement and what it has to return.

    `gone` says what took the place of modules that earlier versions had, by their names.
    """

    project: str
    specs: ModuleType
    name: str
    base: type[BaseModel]
    gone: Mapping[str, str] = field(default_factory=dict)

    def hint(self, error: BaseException) -> str:
        """What took the place of the module that an import did not find; empty if unknown."""
        missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
        hints = (text for name, text in self.gone.items() if f"{missing}.".startswith(f"{name}."))
        return next(hints, "")


@dataclass(frozen=True)
class Component:
    """A config class and where it comes from."""

    kind: str
    cls: type[Any]
    distribution: str
    version: str

    def __str__(self) -> str:
        """For error messages: distribution, version and class."""
        return f"{self.distribution} {self.version} ({self.cls.__module__}.{self.cls.__qualname__})"


@dataclass(frozen=True)
class BrokenPlugin:
    """An entry point that could not be used, and why."""

    distribution: str
    version: str
    entry_point: str
    exception: BaseException
    hint: str = ""

    @property
    def reason(self) -> str:
        """The exception and, where there is one, the hint what to change, in one line."""
        return in_one_line(self.exception) + (f": {self.hint}" if self.hint else "")

    def __str__(self) -> str:
        """For messages: distribution, version and exception, in one line."""
        return f"{self.distribution} {self.version} ({self.reason})"


@dataclass(frozen=True, order=True)
class LeftOutPlugin:
    """A distribution whose plugins are not imported, and the variable that says so."""

    distribution: str
    version: str
    variable: str

    @property
    def reason(self) -> str:
        """Why, in one line."""
        does = "names it" if self.variable == LEAVE_OUT_VARIABLE else "does not name it"
        return f"{self.variable} {does}"

    def __str__(self) -> str:
        """For messages: distribution, version and variable, in one line."""
        return f"{self.distribution} {self.version} ({self.reason})"


def installed_entry_points(group: str) -> list[importlib.metadata.EntryPoint]:
    """Those of a group, and those of misspelt groups to which it comes closest."""
    installed = importlib.metadata.entry_points()
    meant = sorted(name for name in installed.groups if _meant(name) == group)
    return [entry_point for name in meant for entry_point in installed.select(group=name)]


def _meant(group: str) -> str | None:
    if group in GROUPS:
        return group
    needed = 0.5 if group.lower().startswith("nppac") else 0.85
    return next(iter(difflib.get_close_matches(group.lower(), GROUPS, n=1, cutoff=needed)), None)


def components_of(plugin: object, hook: Hook, distribution: str, version: str) -> list[Component]:
    """Register one plugin, call its hook and check the classes it returns.

    Raises:
        PluginError: The plugin implements no hook, or a class breaks the rules.
        pluggy.PluginValidationError: A hook is misspelt or takes other arguments.
    """
    manager = pluggy.PluginManager(hook.project)
    manager.add_hookspecs(hook.specs)
    manager.register(plugin)
    manager.check_pending()
    caller = getattr(manager.hook, hook.name)
    if not caller.get_hookimpls():
        raise PluginError(f"no function {hook.name} with the marker hookimpl")
    components = []
    for classes in caller():
        if not isinstance(classes, list | tuple):
            raise PluginError(f"{hook.name} has to return a list of classes, got {classes!r}")
        for cls in classes:
            kind = _checked_kind(cls, hook.base)
            components.append(Component(kind, cls, distribution, version))
    return components


def load_entry_points(
    entry_points: Iterable[importlib.metadata.EntryPoint], hook: Hook
) -> tuple[list[Component], list[BrokenPlugin]]:
    """Load every entry point by itself; the order of the result depends on names only.

    What a plugin prints goes to standard error, and whatever it raises makes it a broken one,
    `SystemExit` included; only an interrupt from the keyboard goes on.

    Raises:
        PluginLoadError: A plugin failed, and `NPPAC_STRICT_PLUGINS=1`.
    """
    components: list[Component] = []
    broken: list[BrokenPlugin] = []
    for entry_point in sorted(entry_points, key=lambda ep: (*_origin(ep), ep.name, ep.value)):
        distribution, version = _origin(entry_point)
        try:
            components += _loaded(entry_point, hook)
        except BaseException as exception:
            let_interruption_pass(exception)
            hint = hook.hint(exception)
            plugin = BrokenPlugin(distribution, version, entry_point.name, exception, hint)
            message = (
                f"plugin {entry_point.name!r} of group {entry_point.group!r} failed to load: "
                f"{plugin}; update it, or remove it with 'pip uninstall {distribution}'"
            )
            if os.environ.get(STRICT_VARIABLE, "") not in ("", "0"):
                raise PluginLoadError(message) from exception
            logger.warning(message)
            broken.append(plugin)
    return components, broken


def _loaded(entry_point: importlib.metadata.EntryPoint, hook: Hook) -> list[Component]:
    distribution, version = _origin(entry_point)
    if entry_point.group != hook.project:
        raise PluginError(
            f"its entry-point group {entry_point.group!r} does not exist (did you mean "
            f"{hook.project!r}?)"
        )
    with quiet_import(entry_point, distribution, version):
        found = components_of(entry_point.load(), hook, distribution, version)
    for module in (entry_point.module, *(component.cls.__module__ for component in found)):
        if module.partition(".")[0] != hook.base.__module__.partition(".")[0]:
            remember(module, distribution, version)
    return found


def split_by_variables(
    entry_points: Iterable[importlib.metadata.EntryPoint],
) -> tuple[list[importlib.metadata.EntryPoint], list[LeftOutPlugin]]:
    """The entry points that are to be loaded, and the distributions that are left out.

    `NPPAC_PLUGINS` names all that are to be loaded, `NPPAC_WITHOUT_PLUGINS` those that are not.
    """
    allowed, refused = _named_by(ALLOW_LIST_VARIABLE), _named_by(LEAVE_OUT_VARIABLE) or set()
    admitted: list[importlib.metadata.EntryPoint] = []
    left_out: set[LeftOutPlugin] = set()
    for entry_point in entry_points:
        distribution, version = _origin(entry_point)
        name = _normalised(distribution)
        if name in refused:
            left_out.add(LeftOutPlugin(distribution, version, LEAVE_OUT_VARIABLE))
        elif allowed is not None and name not in allowed:
            left_out.add(LeftOutPlugin(distribution, version, ALLOW_LIST_VARIABLE))
        else:
            admitted.append(entry_point)
    return admitted, sorted(left_out)


def _named_by(variable: str) -> set[str] | None:
    """The distributions that an environment variable names; None where it is not set."""
    names = os.environ.get(variable)
    if names is None:
        return None
    return {_normalised(name) for name in names.split(",") if name.strip()}


def version_of(distribution: str) -> str:
    """The installed version of a distribution, or `"unknown"` where it has no metadata."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _origin(entry_point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    if entry_point.dist is None:
        return "unknown", "unknown"
    return entry_point.dist.name, entry_point.dist.version


def _normalised(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()


def _checked_kind(cls: object, base: type[BaseModel]) -> str:
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise PluginError(f"{cls!r} is not a subclass of {base.__module__}.{base.__qualname__}")
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise PluginError(f"{cls.__qualname__} is abstract: it lacks {missing}")
    field = cls.model_fields["kind"]
    values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if len(values) != 1 or not isinstance(values[0], str) or field.default != values[0]:
        raise PluginError(f'{cls.__qualname__} has to declare kind: Literal["x"] = "x"')
    if not _KIND.fullmatch(values[0]):
        raise PluginError(
            f"{cls.__qualname__} has kind {values[0]!r}, which does not match {_KIND.pattern!r}"
        )
    return values[0]
