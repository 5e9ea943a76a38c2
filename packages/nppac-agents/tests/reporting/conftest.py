"""Synthetic run directories: what a run leaves behind, without running one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_agents.reporting.frames import Frames
from nppac_agents.reporting.report import write_report

CONFIG: dict[str, Any] = {
    "env": {"kind": "door", "horizon": 200, "reward": "zero-one"},
    "demonstrations": {"source": "shipped", "name": "door"},
    "prior": {"kind": "exact-gp", "note": "<script>alert('config')</script> & more"},
    "agent": {"kind": "nppac", "alpha": 0.1, "policy_hidden": [256, 256]},
    "training": {"env_steps": 20000, "n_envs": 8},
    "evaluation": {"every": 2500, "episodes": 20, "first_seed": 1000},
    "seed": 3,
}
ENVIRONMENT: dict[str, Any] = {
    "python": "3.11.2",
    "platform": "Linux",
    "host": "<b>host</b>",
    "device": "cpu",
    "cpu_count": 2,
    "packages": {"torch": "2.13.0", "pyro-ppl": None},
    "plugins": [
        {
            "what": "prior",
            "kind": "exact-gp",
            "class": "nppac_priors.gp.exact.config.ExactGPConfig",
            "distribution": "nppac-priors",
            "version": "0.1.0",
        }
    ],
    "git": {"commit": "0123abcd", "modified": False},
    "demonstrations_hash": "d" * 64,
}


def evaluation(step: int, rng: np.random.Generator, *, n: int = 20) -> dict[str, Any]:
    """An evaluation event whose success grows with the steps."""
    chance = 0.25 + 0.65 * (1 - math.exp(-step / 6000))
    ever = rng.random(n) < chance
    ended = ever & (rng.random(n) < 0.8)
    times = [float(t) if e else None for t, e in zip(rng.integers(40, 190, n), ever, strict=True)]
    known = [time for time in times if time is not None]
    solved = ended * rng.random(n) * 0.4
    return {
        "event": "evaluation",
        "phase": "evaluation",
        "env_steps": step,
        "updates": max(step - 1000, 0),
        "wall_seconds": round(12.3456 + step * 0.0931, 3),
        "success_ever": float(ever.mean()),
        "success_at_end": float(ended.mean()),
        "solved_fraction": float(solved.mean()),
        "time_to_success": float(np.mean(known)) if known else None,
        "return_mean": float(solved.mean() * 200),
        "episodes": n,
        "per_episode": {"success_ever": ever.tolist(), "time_to_success": times},
    }


def reporting(step: int, rng: np.random.Generator, *, n: int = 200) -> dict[str, Any]:
    """The event of the last policy on the reporting starts."""
    event = evaluation(step, rng, n=n)
    named = {"event": "reporting", "phase": "reporting", "seeds": [10_000, 10_000 + n - 1]}
    fields = ("success_ever", "success_at_end", "solved_fraction", "time_to_success", "return_mean")
    return {**event, **named, "intervals": {f: [0.9 * event[f], 1.1 * event[f]] for f in fields}}


def without_success(event: dict[str, Any]) -> dict[str, Any]:
    """An evaluation as of a task that tells no success; other events as they are."""
    if event["event"] == "train":
        return event
    fields = ("success_ever", "success_at_end", "solved_fraction", "time_to_success")
    return {**event, **dict.fromkeys(fields), "per_episode": {"returns": [1.0, 2.0, 3.0]}}


def train(step: int, rng: np.random.Generator, *, phase: str = "online") -> dict[str, Any]:
    """A training event."""
    noise = rng.standard_normal(6)
    value = 8 * (1 - math.exp(-step / 7000))
    losses = {
        "critic_loss": 0.1 + abs(noise[0]),
        "critic_value": value + 0.2 * noise[1],
        "target_value": value + 0.3 + 0.2 * noise[2],
        "actor_loss": -value,
        "kl": 2.5 * (1 - math.exp(-step / 4000)) + 0.1 * noise[3],
        "alpha": 0.1,
        "actor_grad_norm": math.exp(0.5 * noise[4] - 1),
        "critic_grad_norm": math.exp(0.7 * noise[5] + 1),
        "actor_std": 0.14 - 0.03 * step / 20000 + 0.001 * noise[0],
        "prior_std": 0.145 + 0.02 * step / 20000 + 0.001 * noise[1],
    }
    if phase == "pretrain":
        losses = {name: losses[name] for name in ("kl", "actor_grad_norm")}
    return {
        "event": "train",
        "phase": phase,
        "env_steps": 0 if phase == "pretrain" else step,
        "updates": step,
        "wall_seconds": round(step * 0.0931, 3),
        **losses,
        "updates_per_second": 23.1,
        "env_steps_per_second": None if phase == "pretrain" else 23.1,
    }


def prior_std() -> dict[str, Any]:
    distance = [0.0, *np.geomspace(0.05, 600, 16).tolist()]
    mean = [0.08 + 0.5 * d / (d + 4) for d in distance]
    return {
        "distance": distance,
        "mean_std": mean,
        "p10": [0.85 * m for m in mean],
        "p90": [1.2 * m for m in mean],
        "n": [140] * 17,
        "on_data_median": 0.081,
        "dimensions": 39,
    }


def frames() -> Frames:
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (4, 32, 48, 3)).astype(np.uint8)
    successes = np.zeros(90, bool)
    successes[60:80] = True
    return Frames(images, np.array([0, 30, 70, 90]), successes, seed=1000)


WriteRun = Callable[..., Path]


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Writes a finished run of 20,000 steps; `without` leaves files out."""
    return writer(tmp_path)


@pytest.fixture(scope="session")
def reported_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its report, only to be read."""
    path = writer(tmp_path_factory.mktemp("reported"))(pretrained=True, reported=200)
    write_report(path)
    return path


def writer(folder: Path) -> WriteRun:
    def write(
        name: str = "run",
        *,
        seed: int = 3,
        settings: dict[str, Any] | None = None,
        last_step: int = 20_000,
        without: tuple[str, ...] = (),
        pretrained: bool = False,
        reported: int = 0,
        success: bool = True,
    ) -> Path:
        path = folder / name
        path.mkdir(parents=True)
        rng = np.random.default_rng(100 + seed)
        config = {**CONFIG, "seed": seed, **(settings or {})}
        events = [evaluation(0, rng)]
        if pretrained:
            events += [train(step, rng, phase="pretrain") for step in range(250, 2001, 250)]
        for step in range(250, last_step + 1, 250):
            events.append(train(step, rng))
            if step % 2500 == 0:
                events.append(evaluation(step, rng))
        evaluations = [event for event in events if event["event"] == "evaluation"]
        if reported:
            events.append(reporting(last_step, rng, n=reported))
        if not success:
            events = [without_success(event) for event in events]
        measures = ("success_ever", "success_at_end", "solved_fraction", "time_to_success")
        summary = {
            "kind": "nppac",
            "seed": seed,
            "env_steps": last_step,
            "updates": last_step - 1000,
            "wall_seconds": last_step * 0.0931,
            "before": {m: evaluations[0][m] for m in (*measures, "return_mean")},
            "after": {m: evaluations[-1][m] for m in (*measures, "return_mean")},
            "config_hash": "0123456789abcdef" * 4,
            "status": "done",
        }
        texts = {
            "config.json": json.dumps(config),
            "environment.json": json.dumps(ENVIRONMENT),
            "metrics.jsonl": "".join(json.dumps(event) + "\n" for event in events),
            "summary.json": json.dumps(summary),
            "prior_std.json": json.dumps(prior_std()),
        }
        for file, text in texts.items():
            if file not in without:
                (path / file).write_text(text, encoding="utf-8")
        if "frames.npz" not in without:
            frames().save(path / "frames.npz")
        return path

    return write
