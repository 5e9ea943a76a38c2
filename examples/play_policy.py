"""Play an exported policy in its environment, and see whether its programs do what it does.

    python examples/play_policy.py FOLDER --env door --episodes 50

plays one episode for each reset seed from 10,000, as `nppac-run evaluate` does, and prints the
measures of these as JSON. It needs torch, nppac-priors and nppac-envs alone. With `--programs`,
what `policy.onnx` (with onnxruntime) and `policy.pt2` make of every visited state is compared with
it: largest and root mean square difference, of actions in shares of their range.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nppac_envs.checked import make_checked
from nppac_envs.environments import env_config, setting
from nppac_envs.measures import EpisodeMeasures, Measures
from nppac_priors import DeployedPolicy, load_policy

Program = Callable[[np.ndarray], Mapping[str, Any]]


def play(policy: DeployedPolicy, envs: list[Any], seeds: range) -> tuple[Measures, np.ndarray]:
    """One episode for each reset seed, all in lockstep.

    Args:
        policy: what acts.
        envs: made by `make_checked`, one for each seed.
        seeds: of the resets.

    Returns:
        The measures, and all states in which it acted (n, S).
    """
    states = np.stack([env.reset(seed=seed)[0] for env, seed in zip(envs, seeds, strict=True)])
    running, total, visited = np.ones(len(envs), bool), EpisodeMeasures(len(envs)), []
    while running.any():
        stepped, rewards, successes = running.copy(), np.zeros(len(envs)), np.zeros(len(envs), bool)
        visited.append(states[running])
        actions = policy.act(visited[-1])
        for index, action in zip(np.flatnonzero(running), actions, strict=True):
            states[index], rewards[index], ended, cut, info = envs[index].step(action)
            successes[index] = info.get("success", False)
            running[index] = not (ended or cut)
        total.update(successes, rewards, stepped)
    return total.result(), np.concatenate(visited)


def programs(folder: Path) -> dict[str, Program]:
    """The programs in a folder, by file name: states (n, S) to what they say of these."""
    found: dict[str, Program] = {}
    if (folder / "policy.pt2").exists():
        module = torch.export.load(folder / "policy.pt2").module()
        found["policy.pt2"] = lambda states: {
            name: tensor.detach().numpy()
            for name, tensor in module(torch.from_numpy(states)).items()
        }
    if (folder / "policy.onnx").exists():
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / "policy.onnx")
        names = [output.name for output in session.get_outputs()]
        found["policy.onnx"] = lambda states: dict(
            zip(names, session.run(names, {"states": states}), strict=True)
        )
    return found


def compared(policy: DeployedPolicy, program: Program, states: np.ndarray) -> dict[str, float]:
    """How far a program is off the policy at states (n, S)."""
    spec, wanted = policy.spec, policy.distribution(states)
    low, high = spec.action_low, spec.action_high
    span = 2.0 if low is None or high is None else np.subtract(high, low)
    found = program(states)
    off = {"action": (found["action"] - policy.act(states)) / span}
    off["policy_mean"] = (found["policy_mean"] - wanted.policy.mean) / span
    off["policy_std"] = (found["policy_std"] - wanted.policy.std) / span
    if policy.alarm is not None:
        off["trust"] = found["trust"] - policy.trust(states)
    sizes = {f"{name}_largest": float(np.abs(part).max()) for name, part in off.items()}
    return sizes | {"action_rms": float(np.sqrt(np.square(off["action"]).mean()))}


def main() -> None:
    """Play, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="that nppac-run export wrote")
    parser.add_argument("--env", required=True, help="kind of environment")
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=10_000)
    parser.add_argument(
        "--programs", action="store_true", help="compare policy.onnx and policy.pt2"
    )
    arguments = parser.parse_args()
    policy, config = load_policy(arguments.folder), env_config(arguments.env, dict(arguments.set))
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.episodes)
    measures, states = play(policy, [make_checked(config) for _ in seeds], seeds)
    result: dict[str, Any] = {"measures": measures.means(), "per_episode": measures.per_episode()}
    if arguments.programs:
        result["states"] = len(states)
        result["off"] = {
            n: compared(policy, p, states) for n, p in programs(arguments.folder).items()
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
