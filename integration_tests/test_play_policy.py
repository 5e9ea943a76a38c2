"""The example that plays an exported policy measures what an evaluation of a run does."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from nppac_agents.cli import main
from nppac_agents.running.evaluation import Evaluator
from nppac_envs import DoorConfig
from nppac_envs.checked import make_checked
from nppac_priors import load_policy
from nppac_priors.deployed.files import save_policy
from nppac_priors.deployed.spec import ActorSpec

pytestmark = pytest.mark.medium
FILE = Path(__file__).parents[1] / "examples" / "play_policy.py"
EPISODES = 20
SMALL = (
    "demonstrations.n_episodes=10", "training.env_steps=800", "training.start_steps=400",
    "evaluation.every=800", "evaluation.episodes=20", "evaluation.reporting_episodes=20",
    "env.horizon=200",
    "logging.tensorboard=false", "device=cpu",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A random network for door, without a prior."""
    actor = ActorSpec(form="deterministic", layers=1, activation="relu", standardised=False)
    weight = 0.1 * torch.randn(28, 39, generator=torch.Generator().manual_seed(0))
    tensors = {"weight_0": weight, "bias_0": torch.zeros(28)}
    fields = {"state_dim": 39, "action_dim": 28, "actor": actor}
    save_policy(tmp_path / "policy", fields, tensors, None, None)
    return tmp_path / "policy"


def test_its_measures_are_those_of_an_evaluation(folder):
    play, policy = runpy.run_path(str(FILE))["play"], load_policy(folder)
    config, seeds = DoorConfig(horizon=6, reward="dense"), range(10_000, 10_003)
    found, states = play(policy, [make_checked(config) for _ in seeds], seeds)

    class Actor:
        def act(self, states, *, deterministic):
            return policy.act(states)

    wanted = Evaluator(config, 3).evaluate(Actor(), seeds)
    assert found.per_episode() == wanted.per_episode()
    assert states.shape == (18, 39)


def test_a_program_is_compared_in_shares_of_the_actions_range(folder):
    example, policy = runpy.run_path(str(FILE)), load_policy(folder)
    policy.save_program(folder / "policy.pt2")
    states = np.random.default_rng(0).normal(size=(5, 39)).astype(np.float32)
    (program,) = example["programs"](folder).values()
    assert example["compared"](policy, program, states)["action_largest"] < 1e-5

    def moved(states):
        return {name: part + 0.02 for name, part in program(states).items()}

    off = example["compared"](policy, moved, states)
    assert off["action_largest"] == pytest.approx(0.01, rel=1e-3)
    assert off["action_rms"] == pytest.approx(0.01, rel=1e-3)


@pytest.mark.slow
def test_a_door_run_reaches_elsewhere_what_evaluate_says(tmp_path, capsys, fresh_python):
    """In an environment without nppac-agents, which takes a package index and some minutes."""
    settings = [word for setting in SMALL for word in ("--set", setting)]
    run, folder = str(tmp_path / "run"), str(tmp_path / "policy")
    quickstart = str(FILE.with_name("quickstart.json"))
    assert main(["train", quickstart, "--output-dir", run, "--quiet", *settings]) == 0
    capsys.readouterr()
    assert main(["evaluate", run, "--policy", "last", "--episodes", str(EPISODES), "--json"]) == 0
    wanted = json.loads(capsys.readouterr().out)["measures"]
    assert main(["export", run, folder, "--policy", "last"]) == 0
    play = (FILE, folder, "--env", "door", "--episodes", str(EPISODES))
    found = json.loads(fresh_python(["nppac-priors", "nppac-envs"], *play))["measures"]
    assert 0 < wanted["success_ever"] == found["success_ever"]
    assert wanted["success_at_end"] == found["success_at_end"]
