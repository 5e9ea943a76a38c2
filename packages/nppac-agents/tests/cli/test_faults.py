"""Plugins that fail within a run: one line with distribution and version, exit code 3."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from fresh_registries import fresh_registries
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_envs.faults import PURPOSE

pytestmark = pytest.mark.medium

EXPERIMENT = {
    "env": {"kind": "lab"},
    "agent": {
        "kind": "lab-agent", "policy_hidden": [8], "critic_hidden": [8], "batch_size": 4
    },
    "training": {
        "env_steps": 24, "n_envs": 2, "start_steps": 8, "updates_per_step": 0.5,
        "replay_capacity": 100,
    },
    "evaluation": {"every": 12, "episodes": 2, "reporting_episodes": 2},
    "logging": {"frames": 0, "tensorboard": False, "checkpoint_every": 4},
    "device": "cpu",
    "output_dir": "run",
}  # fmt: skip


@pytest.fixture
def lab_run(nppac_run, tmp_path, monkeypatch):
    """Runs the experiment with the given overrides, with lab-things 0.7 installed."""
    site = tmp_path / "site"
    info = site / "lab_things-0.7.dist-info"
    info.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("lab_things.py"), site)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-things\nVersion: 0.7\n")
    groups = [f"[nppac.{group}]\nlab = lab_things\n" for group in ("envs", "priors", "agents")]
    (info / "entry_points.txt").write_text("".join(groups))
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "lab_things", raising=False)

    def run(*overrides, flags=(), **sections):
        Path("lab.json").write_text(json.dumps(EXPERIMENT | sections))
        options = [word for override in overrides for word in ("--set", override)]
        return nppac_run("lab.json", "--quiet", *flags, *options)

    with fresh_registries():
        yield run


def error(result) -> str:
    (line,) = [line for line in result.err if line.startswith("error: ")]
    assert not any("Traceback" in line for line in result.err)
    return line


def test_without_a_fault_the_run_is_done(lab_run):
    result = lab_run()
    assert (result.code, [line for line in result.err if "error" in line]) == (0, [])
    assert json.loads(Path("run/summary.json").read_text())["status"] == "done"


OF_LAB = "error: environment 'lab' of plugin lab-things 0.7: "


@pytest.mark.parametrize("during", ["training", "evaluation"])
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("nan observation", "observation is nan in entry 0"),
        ("shape", "observation is an array of shape (1,) and type float32, has to be an array of"),
        ("nan reward", "reward is nan"),
        ("no reward", "reward is None, has to be a number"),
        ("error", "step() raised IndexError: list index out of range"),
        ("exit", "step() raised SystemExit: 0"),
    ],
)
def test_a_faulty_environment_stops_the_run_and_the_last_checkpoint_is_kept(
    lab_run, during, fault, problem
):
    result = lab_run(f"env.fault={fault}", f"env.during={during}")
    line = error(result)
    assert result.code == 3, line
    assert line.startswith(OF_LAB + problem)
    seed = " (seed 1000)" if during == "evaluation" else ""
    assert line.endswith(f", in episode 2{seed} at step 3")
    Checkpoint.load(checkpoints(Path("run/checkpoints"))[-1])


@pytest.mark.parametrize(
    ("fault", "code", "problem"),
    [
        ("endless", 3, "the episode has not ended at the horizon; make() has to truncate it"),
        ("make", 3, "make() raised SystemExit: 0"),
        ("space", 2, "its observation space is Box(0, 255, (8, 8, 3), uint8), has to be a Box of"),
    ],
)
def test_an_environment_that_cannot_be_used_is_one_line(lab_run, fault, code, problem):
    result = lab_run(f"env.fault={fault}")
    assert error(result).startswith(OF_LAB + problem)
    assert (PURPOSE in error(result)) == (fault == "space")
    assert result.code == code


def test_a_dry_run_finds_that_a_saved_environment_does_not_come_back(lab_run):
    result = lab_run("env.fault=deaf", flags=["--dry-run"])
    assert error(result).startswith(
        "error: set_state() of Lab does not bring back what get_state() gave: 'state' is another"
    )
    assert result.code == 2


AGENT = "error: plugin lab-things 0.7: agent 'lab-agent': "
FAILED = "error: plugin lab-things 0.7 failed in lab_things.LabAgent."


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("none", AGENT + "build() returned None, has to return an Agent"),
        ("parts", AGENT + "parts() returned a list, has to return a named tuple of Part objects"),
        ("network", AGENT + "parts() returned a RegularisedParts, has to return a named tuple of"),
        ("phases", AGENT + "phases() returned a str, has to return some phases"),
        ("endless phase", AGENT + "its phase 'offline' has no length"),
        ("exit in build", FAILED + "build, line "),
        ("exit in update", FAILED + "update, line "),
        ("error in update", FAILED + "update, line "),
        ("losses", AGENT + "update() returned a float as 'loss', has to be a scalar tensor"),
        ("no losses", AGENT + "update() returned None, has to return a dict"),
    ],
)
def test_a_faulty_agent_is_one_line_with_its_plugin(lab_run, fault, problem):
    result = lab_run(f"agent.fault={fault}")
    line = error(result)
    assert (result.code, line.startswith(problem)) == (3, True), line
    if "exit" in fault:
        assert line.endswith(": SystemExit: 0")


def test_actions_of_another_shape_reach_no_environment(lab_run):
    result = lab_run("agent.fault=actions")
    assert result.code == 3
    assert error(result).startswith(AGENT + "act() returned a Tensor of shape ")
    assert error(result).endswith(", has to return shape (2, 1)")


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("list", "plugin lab-things 0.7: prior 'lab-prior': _fit() returned a list, has to"),
        ("late column", "plugin lab-things 0.7: prior 'lab-prior': mean is a Tensor of shape"),
        ("exit", "plugin lab-things 0.7 failed in lab_things.LabPriorConfig._fit, line"),
    ],
)
def test_a_faulty_prior_is_one_line_with_its_plugin(lab_run, tmp_path, fault, problem):
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "demos.npz",
        states=rng.normal(size=(40, 2)),
        actions=rng.uniform(-1, 1, size=(40, 1)),
        episode_lengths=np.full(8, 5),
        final_states=rng.normal(size=(8, 2)),
    )
    result = lab_run(
        demonstrations={"source": "npz", "path": "demos.npz"},
        prior={"kind": "lab-prior", "fault": fault},
        agent={
            "kind": "nppac",
            "policy_hidden": [8],
            "critic_hidden": [8],
            "batch_size": 4,
            "rollout_steps": 0,
            "critic_warmup_updates": 0,
        },
    )
    assert error(result).startswith(f"error: {problem}")
    assert result.code == 3


def test_the_plugin_is_listed_three_times(lab_run, nppac_run):
    rows = json.loads(nppac_run("plugins", "--json").out)
    lab = {row["what"] for row in rows if row["distribution"] == "lab-things"}
    assert lab == {"env", "prior", "agent"}
