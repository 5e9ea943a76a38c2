"""The conformance kit of methods catches what it is there for; `test_conformance` what passes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from nppac_agents import SAC, Phase
from nppac_agents.testing import MethodConformance
from nppac_priors.errors import ContractError


def unscalar(self: Any, agent: Any, batch: Any) -> Any:
    return SAC.update(self, agent, batch) | {"values": batch.rewards}


def unseeded(self: Any, agent: Any, batch: Any) -> Any:
    losses = SAC.update(self, agent, batch)
    next(agent.parts.policy.parameters()).data.add_(torch.rand(()))
    return losses


def hidden(self: Any, agent: Any, batch: Any) -> Any:
    agent.count = getattr(agent, "count", 0) + 1
    next(agent.parts.policy.parameters()).data.add_(0.01 * agent.count)
    return SAC.update(self, agent, batch)


def noisy(self: Any, agent: Any, states: Any, *, deterministic: bool) -> Any:
    return SAC.act(self, agent, states, deterministic=False)


def flat(self: Any, agent: Any, states: Any, *, deterministic: bool) -> Any:
    return SAC.act(self, agent, states, deterministic=deterministic)[0]


def twice(self: Any, agent: Any) -> Any:
    return [Phase("online", 3), Phase("online")]


FAULTS = {
    "test_losses_are_finite_scalars_without_gradient": {"update": unscalar},
    "test_the_generator_decides_what_is_learned": {"update": unseeded},
    "test_a_restored_copy_goes_on_equally": {"update": hidden},
    "test_the_deterministic_policy_draws_nothing": {"act": noisy},
    "test_actions_have_their_shape_and_type": {"act": flat},
    "test_phases_are_well_formed": {"phases": twice},
}


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught(check: str) -> None:
    broken = type("Broken", (SAC,), FAULTS[check] | {"__module__": __name__})
    kit = MethodConformance()
    fields: dict[str, Any] = {"policy_hidden": (8,), "critic_hidden": (8,)}
    kit.method = broken(**fields)  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises((AssertionError, ContractError)):
        getattr(kit, check)(None)


def test_a_module_that_imports_torch_is_caught(tmp_path, monkeypatch) -> None:
    (tmp_path / "torch.py").touch()  # a light one, for the new process
    (tmp_path / "heavy_method.py").write_text("import torch")
    monkeypatch.syspath_prepend(tmp_path)
    kit = MethodConformance()
    kit.method = type("Heavy", (SAC,), {"__module__": "heavy_method"})()
    with pytest.raises(AssertionError, match="imports torch"):
        kit.test_its_module_imports_no_torch()
