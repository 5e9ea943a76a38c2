"""What the wheel has from outside its folder: the examples and the schema that they name.

They lie at the top of the repository, where people look for them. A source distribution carries
copies, from which a wheel can be built as well; an editable install needs none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SharedFiles(BuildHookInterface):
    """Includes `examples/` and `schema/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders to what is built."""
        if version == "editable":
            return
        package = Path(self.root)
        inside = "nppac_agents/" if self.target_name == "wheel" else ""
        for name in ("examples", "schema"):
            own = package / name
            source = own if own.is_dir() else package.parents[1] / name
            build_data["force_include"][str(source)] = inside + name
