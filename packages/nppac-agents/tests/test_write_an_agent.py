"""The methods of `docs/write-an-agent.md`, taken from the page and used."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from nppac_agents.testing import MethodConformance

PAGE = Path(__file__).parents[3] / "docs" / "write-an-agent.md"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page's Python, in one module."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    path = tmp_path_factory.mktemp("page") / "written_agent.py"
    path.write_text("\n\n".join(blocks))
    spec = importlib.util.spec_from_file_location("written_agent", path)
    module = sys.modules["written_agent"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["written_agent"]


CHECKS = [
    "test_losses_are_finite_scalars_without_gradient",
    "test_a_restored_copy_goes_on_equally",
    "test_every_part_that_moves_is_in_the_state",
    "test_without_demonstrations_it_is_built_or_refused",
]


@pytest.mark.parametrize("name", ["WideSAC", "SACBC"])
def test_the_pages_methods_are_offered_and_pass_the_kit(page, name):
    cls = getattr(page, name)
    assert cls in page.nppac_agent_configs()
    kit = MethodConformance()
    kit.method = cls(policy_hidden=(8,), critic_hidden=(8,), batch_size=16)
    for check in CHECKS:
        getattr(kit, check)(None)
