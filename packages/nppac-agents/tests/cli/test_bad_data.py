"""What only shows when the parts of an experiment meet: one line and exit code 2, no directory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest


def errors(lines: list[str]) -> list[str]:
    """The error lines; a library may say something of its own when it is first imported."""
    assert not any("Traceback" in line for line in lines)
    return [line for line in lines if line.startswith("error: ")]


def write_demonstrations(**changes: object) -> None:
    """`demos.npz` for door: 39 state and 28 action dimensions."""
    rng = np.random.default_rng(0)
    arrays = {
        "states": rng.normal(size=(12, 39)),
        "actions": rng.uniform(-1, 1, size=(12, 28)),
        "episode_lengths": np.array([6, 6]),
        "final_states": rng.normal(size=(2, 39)),
    }
    np.savez("demos.npz", **{**arrays, **changes})


def with_nan(shape: tuple[int, ...]) -> np.ndarray:
    array = np.zeros(shape)
    array.flat[5] = np.nan
    return array


@pytest.mark.parametrize(
    ("changes", "overrides", "mentions"),
    [
        (None, [], ["demos.npz", "no such file"]),
        ({"states": with_nan((12, 39))}, [], ["demos.npz", "states"]),
        ({"actions": np.full((12, 28), 1.5)}, [], ["demos.npz", "action entries", "clip: true"]),
        ({"actions": np.zeros((11, 28))}, [], ["demos.npz", "11", "12"]),
        ({"episode_lengths": np.array([6, 7])}, [], ["demos.npz", "13", "12"]),
        ({}, ["demonstrations.n_episodes=3"], ["demos.npz", "n_episodes is 3", "2 episodes"]),
        ({}, ["demonstrations.fields.states=obs"], ["demos.npz", "'obs'"]),
        ({}, ["env.kind=pen"], ["demonstrations", "39", "45", "use demonstrations"]),
        ({}, ["prior=null"], ["agent", "needs a prior", "'exact-gp'"]),
        ({}, ["prior.hyperparameters=gp.pt"], ["gp.pt", "no such file"]),
        ({}, ['demonstrations={"source":"shipped","name":"dor"}'], ["'dor'", "there are"]),
        (
            {},
            ['demonstrations={"source":"minari","id":"a/b-v0","root":"."}'],
            ["a/b-v0", "no Minari"],
        ),
        (
            {},
            ['demonstrations={"source":"dapg","path":"d.pickle"}'],
            ["d.pickle", "no such file in"],
        ),
    ],
)
def test_bad_data_is_one_line(nppac_run, config, changes, overrides, mentions):
    if changes is not None:
        write_demonstrations(**changes)
    argv = [argument for override in overrides for argument in ("--set", override)]
    result = nppac_run(config, *argv, "--device", "cpu")
    (line,) = errors(result.err)
    assert result.code == 2, line
    for word in mentions:
        assert word in line.replace("No such", "no such")
    assert not Path("runs/door-seed3").exists()


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x03\x04"])
def test_a_broken_npz_is_one_line(nppac_run, config, content):
    Path("demos.npz").write_bytes(content)
    result = nppac_run(config, "--device", "cpu")
    (line,) = errors(result.err)
    assert (result.code, "demos.npz" in line) == (2, True), line


def test_a_gpu_that_is_not_there(nppac_run, config):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    result = nppac_run(config, "--device", "cuda")
    assert result.code == 2
    assert errors(result.err) == [
        "error: device: 'cuda' is not available here; use 'auto' or 'cpu'"
    ]


@pytest.mark.slow
def test_a_small_run_leaves_a_directory_that_can_be_read(nppac_run, config):
    """The whole command, once, on a budget of a few steps."""
    write_demonstrations()
    settings = {
        "prior": {"kind": "exact-gp", "steps": 2},
        "agent": {
            "kind": "nppac",
            "policy_hidden": [8],
            "critic_hidden": [8],
            "batch_size": 4,
            "rollout_steps": 0,
            "critic_warmup_updates": 0,
        },
        "training": {"env_steps": 16, "n_envs": 2, "start_steps": 4, "replay_capacity": 100},
        "env": {"kind": "door", "horizon": 4},
        "evaluation": {"every": 8, "episodes": 2, "reporting_episodes": 2},
        "logging": {"every": 4, "frames": 0, "tensorboard": False},
    }
    argv = [
        part
        for name, value in settings.items()
        for part in ("--set", f"{name}={json.dumps(value)}")
    ]
    result = nppac_run(config, *argv, "--device", "cpu")
    assert (result.code, errors(result.err)) == (0, [])
    run = Path("runs/door-seed3")
    assert json.loads((run / "summary.json").read_text())["status"] == "done"
    assert {"config.json", "environment.json", "metrics.jsonl", "prior.safetensors"} <= {
        path.name for path in run.iterdir()
    }
    assert nppac_run("validate", run / "config.json").code == 0
    assert nppac_run(run / "config.json", "--device", "cpu").code == 2


def test_a_prepared_set_that_is_not_there_names_the_one_command_that_writes_it(nppac_run):
    """As the tables of the results read it; no package has it."""
    example = Path(__file__).parents[4] / "examples" / "door-nppac.json"
    prepared = json.dumps({"source": "npz", "path": "door-dapg.npz"})
    result = nppac_run(example, "--set", f"demonstrations={prepared}")
    assert result.code == 2
    (error,) = errors(result.err)
    assert error.endswith(f"no such file in {Path.cwd()}; nppac-demos fetch door-dapg writes it")
    assert not [path for path in Path.cwd().rglob("*") if path.is_file()]
