"""An experiment without interaction needs no environment: its spaces are the demonstrations'."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from method_table import METHODS, SMALL, configured
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.metrics_file import read_metrics
from nppac_agents.reporting.report import write_report
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.play import record
from nppac_agents.running.run_policy import load_agent
from nppac_priors.errors import ConfigError
from pydantic import ValidationError

pytestmark = pytest.mark.medium


@pytest.fixture
def offline(point_experiment) -> Any:
    """An experiment on the demonstrations alone."""

    def make(kind: str, **training: Any) -> ExperimentConfig:
        return point_experiment.model_copy(
            update={
                "env": None,
                "prior": None,
                "agent": configured(agent_registry().get(kind), SMALL, METHODS[kind].small),
                "training": point_experiment.training.model_copy(update=training),
            }
        )

    return make


def test_cloning_learns_the_same_as_with_an_environment(offline, point_experiment, run_point):
    config = offline("bc")
    summary, run = run_point(config, "alone")
    assert (summary["status"], summary["before"], summary["after"]) == ("done", None, None)
    assert {e["event"] for e in read_metrics(run.metrics)} == {"train"}
    run.write_config(config)
    page = write_report(run.path).read_text()
    assert "names no environment, so that nothing was evaluated" in page
    _, beside = run_point(config.model_copy(update={"env": point_experiment.env}), "beside")
    one, other = (
        Checkpoint.load(checkpoints(r.checkpoints)[-1]).tensors["agent"] for r in (run, beside)
    )
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


def test_an_offline_method_is_resumed_and_plays(
    offline, run_point, demonstrations, monkeypatch, tmp_path
):
    config = offline("iql", env_steps=0)
    run_point(config)
    summary, run = run_point(config, resume=True)
    assert summary["updates"] > 0
    monkeypatch.setattr(type(run), "config", lambda self: config)
    assert load_agent(run).act(demonstrations.states[:3], deterministic=True).shape == (3, 2)
    with pytest.raises(ConfigError, match="names no environment to record in"):
        record(run, 1, 0, None, tmp_path / "new.npz")


def test_a_dry_run_needs_none_either(offline, run_point):
    assert run_point(offline("iql", env_steps=0), report=True, dry_run=True)[0] == {}


@pytest.mark.parametrize("kind", ["iql", "sacfd"])
def test_interaction_needs_an_environment(offline, run_point, kind):
    with pytest.raises(ConfigError, match=f"env: agent '{kind}' interacts .*env_steps to 0"):
        run_point(offline(kind))


def test_something_has_to_give_the_spaces():
    with pytest.raises(ValidationError, match="neither an environment nor a demonstration"):
        ExperimentConfig.model_validate({"agent": {"kind": "bc"}})
