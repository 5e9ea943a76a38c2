"""The registry of config classes by `kind`, and the field type that validates through it.

`prior_registry()` holds the installed priors. Other packages make registries of their own
components with `Registry.of`, and declare fields as `Annotated[SerializeAsAny[Base],
ByKind(load_registry)]`, as `PriorField` does here.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializeAsAny,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError, core_schema

from nppac_priors.config import PriorConfig, error_lines
from nppac_priors.errors import ConfigError, DuplicateKindError, UnknownKindError
from nppac_priors.plugin_loading import (
    ALLOW_LIST_VARIABLE,
    BrokenPlugin,
    Component,
    Hook,
    LeftOutPlugin,
    components_of,
    installed_entry_points,
    load_entry_points,
    split_by_variables,
    version_of,
)
from nppac_priors.suggestions import did_you_mean


class Registry:
    """The config classes of one entry-point group, by `kind`.

    Attributes:
        noun: What the components are called in messages (`"prior"` for group `"nppac.priors"`).
        base: Base class of all of them.
        components: `Component` by kind, sorted.
        conflicts: By kind, every `Component` of a kind that several plugins provide, and so none.
        broken: The plugins that failed to load.
        left_out: The plugins that an environment variable leaves out.
        hint: What else is said of an unknown kind, such as where it is found; nothing unless set.
    """

    def __init__(
        self,
        noun: str,
        base: type[BaseModel],
        components: Iterable[Component],
        broken: Iterable[BrokenPlugin] = (),
        left_out: Iterable[LeftOutPlugin] = (),
    ) -> None:
        """Index the components."""
        self.noun = noun
        self.base = base
        by_kind = _by_kind(components)
        self.components: Mapping[str, Component] = MappingProxyType(
            {kind: owners[0] for kind, owners in by_kind.items() if len(owners) == 1}
        )
        self.conflicts: Mapping[str, tuple[Component, ...]] = MappingProxyType(
            {kind: owners for kind, owners in by_kind.items() if len(owners) > 1}
        )
        self.broken = tuple(broken)
        self.left_out = tuple(left_out)
        self.hint: Callable[[str], str] = lambda kind: ""

    @classmethod
    def of(
        cls,
        package: str,
        base: type[BaseModel],
        *,
        gone: Mapping[str, str] = MappingProxyType({}),
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
    ) -> Self:
        """Collect the components of a package and those of the installed plugins.

        Package `nppac_priors` specifies the hook `nppac_prior_configs` of the pluggy project
        `nppac.priors` in its module `hookspecs` and implements it in `plugin`, which is loaded
        without an entry point; the entry-point group is called as the project.

        Args:
            package: A plural, as `nppac_priors`; the other names follow from it.
            base: Base class of the config classes.
            gone: What took the place of modules that plugins imported once, by their names.
            entry_points: Instead of the installed ones of the group.

        Raises:
            PluginLoadError: A plugin failed to load, and `NPPAC_STRICT_PLUGINS=1`.
        """
        group, singular = package.replace("_", "."), package.removesuffix("s")
        specs = importlib.import_module(f"{package}.hookspecs")
        hook = Hook(group, specs, f"{singular}_configs", base, gone)
        builtin = importlib.import_module(f"{package}.plugin")
        noun, own = singular.rpartition("_")[2], package.replace("_", "-")
        return cls.collect(noun, hook, builtin, own, entry_points)

    @classmethod
    def collect(
        cls,
        noun: str,
        hook: Hook,
        builtin: ModuleType,
        distribution: str,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
    ) -> Self:
        """Collect the components of one hook, whatever its names.

        Args:
            noun: What the components are called in messages.
            hook: Its project's name is that of the entry-point group.
            builtin: The plugin that is loaded without an entry point.
            distribution: Of that plugin.
            entry_points: Instead of the installed ones of the group.

        Raises:
            PluginLoadError: As for `of`.
        """
        components = components_of(builtin, hook, distribution, version_of(distribution))
        if entry_points is None:
            entry_points = installed_entry_points(hook.project)
        admitted, left_out = split_by_variables(entry_points)
        found, broken = load_entry_points(admitted, hook)
        return cls(noun, hook.base, components + found, broken, left_out)

    def get(self, kind: str, where: str = "") -> type[Any]:
        """The config class of a kind.

        Args:
            kind: As in a config file.
            where: Path in that file, put in front of the message.

        Raises:
            UnknownKindError: No plugin provides it; the message lists what exists.
            DuplicateKindError: Several do; the message names them.
        """
        if kind in self.conflicts:
            raise DuplicateKindError((f"{where}: " if where else "") + self.conflict(kind))
        if kind in self.components:
            return self.components[kind].cls
        raise UnknownKindError((f"{where}: " if where else "") + self._unknown_kind(kind))

    def parse(self, data: Any, where: str | None = None) -> Any:
        """The config that `data` describes; a config of the base class is returned as it is.

        Args:
            data: A mapping with a `kind`.
            where: Path of `data` in its file, for messages; the noun unless given.

        Raises:
            UnknownKindError: No plugin provides its `kind`.
            ConfigError: It does not validate; the message names each field.
        """
        where = self.noun if where is None else where
        if isinstance(data, self.base):
            return data
        kind = data.get("kind") if isinstance(data, Mapping) else None
        if isinstance(kind, str):
            self.get(kind, where)
        try:
            return self.validate(data)
        except ValidationError as error:
            raise ConfigError("; ".join(error_lines(error, where))) from None
        except PydanticCustomError as error:
            raise ConfigError(f"{where}: {error.message()}") from None

    def validate(self, data: Any, context: Any = None) -> Any:
        """Like `parse`, raising pydantic's errors; for use inside a validator.

        Raises:
            ValidationError: A field of the config is wrong.
            PydanticCustomError: There is no `kind`, or no plugin provides it.
        """
        if isinstance(data, self.base):
            return data
        if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str):
            raise PydanticCustomError(
                "missing_kind",
                "{message}",
                {"message": f"has to be an object with a string 'kind'; {self._known_kinds()}"},
            )
        try:
            cls = self.get(data["kind"])
        except UnknownKindError as error:
            raise PydanticCustomError(
                "unknown_kind", "{message}", {"message": str(error)}
            ) from error
        return cls.model_validate(dict(data), context=context)

    def union(self) -> Any:
        """All config classes as one type, discriminated by `kind`, for the JSON schema."""
        union: Any = None
        for component in self.components.values():
            union = component.cls if union is None else union | component.cls
        if len(self.components) == 1:
            return union
        return Annotated[union, Field(discriminator="kind")]

    def conflict(self, kind: str) -> str:
        """Who provides a kind that several do, and what to do."""
        owners = " and by ".join(map(str, self.conflicts[kind]))
        return (
            f"{self.noun} kind {kind!r} is provided by {owners}; uninstall one, or name the "
            f"distributions to load in {ALLOW_LIST_VARIABLE}"
        )

    def _unknown_kind(self, kind: str) -> str:
        parts = [
            f"unknown {self.noun} kind {kind!r}{did_you_mean(kind, self.components)}"
            f"{self.hint(kind)}",
            self._known_kinds(),
        ]
        if self.broken:
            names = ", ".join(map(str, self.broken))
            parts.append(f"these plugins failed to load and may provide it: {names}")
        if self.left_out:
            parts.append(f"left out: {', '.join(map(str, self.left_out))}")
        return "; ".join(parts)

    def _known_kinds(self) -> str:
        known = (f"{c.kind} ({c.distribution} {c.version})" for c in self.components.values())
        return "known: " + ", ".join(known)


def _by_kind(components: Iterable[Component]) -> dict[str, tuple[Component, ...]]:
    """The components of each kind, sorted; one class counts once, however often it comes."""
    found: dict[str, dict[type[Any], Component]] = {}
    for component in components:
        found.setdefault(component.kind, {}).setdefault(component.cls, component)
    return {kind: tuple(owners.values()) for kind, owners in sorted(found.items())}


_schemas_being_written: ContextVar[frozenset[str]] = ContextVar("writing", default=frozenset())


class ByKind:
    """Annotation of a field whose value is a config of any registered kind.

    Validation looks up `kind` and then validates with its class, so error paths name fields only
    (`prior.kernel`); the JSON schema is the union of all registered classes. The registry is
    loaded at the first validation, not when the model is defined.
    """

    def __init__(self, load_registry: Callable[[], Registry]) -> None:
        self._load_registry = load_registry

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Wrap the base class's schema, which is kept for serialisation only."""
        return core_schema.with_info_wrap_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A reference to one definition, the union of all registered classes.

        Components may contain components (a prior made of priors), so a union that is being
        written is only referred to.
        """
        registry = self._load_registry()
        reference = core_schema.definition_reference_schema(f"nppac.{registry.noun.capitalize()}")
        writing = _schemas_being_written.get()
        if reference["schema_ref"] in writing:
            return handler(reference)
        union: Any = {
            **TypeAdapter(registry.union()).core_schema,
            "ref": reference["schema_ref"],
        }
        token = _schemas_being_written.set(writing | {reference["schema_ref"]})
        try:
            return handler(core_schema.definitions_schema(reference, [union]))
        finally:
            _schemas_being_written.reset(token)

    def _validate(
        self, data: Any, _: core_schema.ValidatorFunctionWrapHandler, info: Any
    ) -> BaseModel:
        return self._load_registry().validate(data, info.context)


@functools.cache
def prior_registry() -> Registry:
    """The priors of this package and of the installed plugins (group `nppac.priors`)."""
    return Registry.of("nppac_priors", PriorConfig)


PriorField = Annotated[SerializeAsAny[PriorConfig], ByKind(prior_registry)]
"""Field type for a prior of any kind: `prior: PriorField`."""
