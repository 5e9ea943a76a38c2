"""Names of a package that load when they are first used (PEP 562), so that importing it is free."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(
    package: str, modules: Mapping[str, str], gone: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package.

    Args:
        package: its name.
        modules: the names, separated by spaces, that each module holds; its own start with a dot.
        gone: what to use in place of names that earlier versions had.

    Raises:
        ImportError: (when used) the name is gone; the message says what took its place.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> Any:
        if name in homes:
            value = getattr(importlib.import_module(homes[name], package), name)
            vars(sys.modules[package])[name] = value
            return value
        if gone and name in gone:
            raise ImportError(f"{name} is gone: {gone[name]}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load, lambda: sorted(homes)
