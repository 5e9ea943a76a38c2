"""What an installed nppac has to do, in a minute: `tools.wheels` runs it in fresh environments."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np


def command(*words: str) -> str:
    """What a command prints; it has to succeed."""
    program = Path(sys.executable).with_name(words[0])
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def main() -> None:
    """What a wheel holds, and what it does."""
    try_files()
    try_commands()
    print(f"passed: Python {sys.version.split()[0]}, torch {version('torch')}")


def try_files() -> None:
    """Schema and examples are in the package, which an installation from sources has outside."""
    from nppac_agents import NPPAC

    assert NPPAC().policy_learning_rate == 1e-4, "a default of its own is lost to a parent's"
    package = files("nppac_agents")
    schema = json.loads((package / "schema" / "experiment.schema.json").read_text())
    assert schema["title"] == "nppac experiment"
    command("nppac-run", "validate", str(package / "examples" / "quickstart.json"))


def try_commands() -> None:
    """Commands, a prior with its report, and a run from its first step to its export."""
    for name in ("nppac-run", "nppac-prior", "nppac-demos"):
        assert command(name, "--version").startswith("nppac-")
    command("nppac-demos", "inspect", "door")
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "data.npz", Path(folder) / "out"
        write_demonstrations(data)
        gp = '{"kind": "exact-gp", "steps": 5}'
        command("nppac-prior", "report", str(data), gp, "--output", str(out), "--quiet")
        assert "<svg" in (out / "health.html").read_text()
        experiment = Path(folder) / "experiment.json"
        experiment.write_text(json.dumps(tiny(data)))
        run = Path(folder) / "run"
        command("nppac-run", "train", str(experiment), "--output-dir", str(run))
        assert "Reported result" in (run / "report.html").read_text()
        command("nppac-run", "export", str(run), str(Path(folder) / "policy"))
        from nppac_priors import load_policy

        action = load_policy(str(Path(folder) / "policy")).act(np.zeros(3))
        assert action.shape == (1,)
        assert np.isfinite(action).all()


def write_demonstrations(path: Path) -> None:
    """Four episodes of a pendulum that somebody pushes about."""
    random = np.random.default_rng(0)
    states = random.uniform(-1, 1, (4 * 30, 3)).astype(np.float32)
    actions = np.clip(-states[:, 2:], -1, 1).astype(np.float32)
    np.savez(path, states=states, actions=actions, episode_lengths=np.full(4, 30))


def tiny(data: Path) -> dict[str, object]:
    """An experiment of some seconds on Gymnasium's pendulum."""
    return {
        "env": {"kind": "gymnasium", "id": "Pendulum-v1", "horizon": 30},
        "demonstrations": {"source": "npz", "path": str(data)},
        "prior": {"kind": "exact-gp", "steps": 5},
        "agent": {
            "kind": "nppac",
            "policy_hidden": [16],
            "critic_hidden": [16],
            "batch_size": 16,
            "rollout_steps": 50,
            "critic_warmup_updates": 20,
        },
        "training": {"env_steps": 200, "n_envs": 2, "start_steps": 50},
        "evaluation": {"every": 100, "episodes": 2, "reporting_episodes": 2},
        "logging": {"every": 50, "frames": 0, "checkpoint_every": 100, "tensorboard": False},
    }


if __name__ == "__main__":
    main()
