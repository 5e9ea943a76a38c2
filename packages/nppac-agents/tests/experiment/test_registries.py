"""A plugin written for an earlier version is named with what to change."""

from __future__ import annotations

import sys

import pytest
from nppac_agents.experiment.registries import agent_registry
from nppac_priors.errors import UnknownKindError


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "from nppac_agents.algorithms.sac import SACConfig",
            "No module named 'nppac_agents.algorithms': methods are in nppac_agents.methods now; "
            "docs/write-an-agent.md says how",
        ),
        ("import nppac_agents.acting", "a method's act says how it acts"),
        ("from nppac_agents.config import Setup", "derive from nppac_agents.Method"),
        ("import nppac_agents.experience.replay", "it is in nppac_agents.data now"),
        ("import nppac_agents.learners", "a method's update is what learns now"),
        ("import nppac_agents.learning.networks", "it is in nppac_agents.parts now"),
        ("from nppac_agents import SACConfig", "the method is nppac_agents.SAC itself"),
        ("from nppac_agents import AgentConfig", "AgentConfig is gone: derive from Method"),
        ("import nppac_agents.learnings", "No module named 'nppac_agents.learnings')"),
    ],
)
def test_what_is_gone_is_told_with_what_took_its_place(tmp_path, monkeypatch, statement, told):
    info = tmp_path / "old_agents-0.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: old-agents\nVersion: 0.9\n")
    (info / "entry_points.txt").write_text("[nppac.agents]\nold = old_agents\n")
    (tmp_path / "old_agents.py").write_text(statement + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "old_agents", raising=False)
    with pytest.raises(UnknownKindError) as caught:
        agent_registry.__wrapped__().get("old")
    assert "old-agents 0.9 (" in str(caught.value)
    assert told in str(caught.value)
