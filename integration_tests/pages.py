"""The documentation's pages, as tests read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def python_of(page: str, **given: object) -> dict[str, Any]:
    """What the Python blocks of a page define, run from top to bottom.

    Args:
        page: below `docs`.
        **given: what the page takes from its reader, by name.
    """
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)
    assert blocks
    namespace: dict[str, Any] = {"__name__": "page", **given}
    for block in blocks:
        exec(compile(block, page, "exec", dont_inherit=True), namespace)
    return namespace
