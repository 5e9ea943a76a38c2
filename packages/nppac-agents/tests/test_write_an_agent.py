"""The seventh method of `docs/write-an-agent.md`, taken from the page and used."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import torch
from nppac_agents.data.transitions import Transitions

PAGE = Path(__file__).parents[3] / "docs" / "write-an-agent.md"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page's Python, in one module."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    path = tmp_path_factory.mktemp("page") / "sac_bc.py"
    path.write_text("\n\n".join(blocks))
    spec = importlib.util.spec_from_file_location("sac_bc", path)
    module = sys.modules["sac_bc"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["sac_bc"]


def test_the_pages_own_test_passes(page, spaces, demonstrations):
    generator = torch.Generator().manual_seed(3)
    flags, nothing = torch.zeros(32), torch.empty(32, 0)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    batch = Transitions(
        normal(32, 4), normal(32, 2), flags, flags, flags, normal(32, 4), *[nothing] * 4
    )
    page.check(spaces, demonstrations, batch)


def test_the_method_is_provided_and_learns(page, spaces, demonstrations, generator):
    assert page.nppac_agent_configs() == [page.SACBCConfig]
    config = page.SACBCConfig(batch_size=32, policy_hidden=(16,), critic_hidden=(16,))
    agent = config.build(spaces, None, demonstrations, generator=generator)
    replay = agent.make_replay(10, 1, generator)
    losses = [agent.learn(agent.phases[-1], replay) for _ in range(5)]
    assert all(loss["cloning_loss"].isfinite() for loss in losses)
    assert agent.updates == 5
