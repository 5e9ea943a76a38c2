"""Environments with something wrong: in what a policy is told, or in what its actions become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

STRENGTHS = {
    "sensor noise": (0.1, 0.3, 1.0),  # standard deviations of the demonstrated states
    "weak motors": (0.25, 0.5, 0.75),  # share of every action that is lost
    "delay": (5, 10, 20),  # steps until an action is taken
}


class Playing(NamedTuple):
    """A disturbance: what the policy is told of states, and what is done of all its actions."""

    seen: Callable[[np.ndarray], np.ndarray]
    done: Callable[[list[np.ndarray]], np.ndarray]


def disturbances(scale: np.ndarray) -> Iterator[tuple[str, float, Playing]]:
    """Each disturbance at each strength, nothing first; scale (S,) is that of the states."""
    generator = np.random.default_rng(0)

    def noisy(states: np.ndarray, strength: float) -> np.ndarray:
        return states + strength * scale * generator.standard_normal(states.shape)

    def weak(actions: list[np.ndarray], strength: float) -> np.ndarray:
        return (1 - strength) * actions[-1]

    def late(actions: list[np.ndarray], strength: int) -> np.ndarray:
        return actions[max(0, len(actions) - 1 - strength)]

    nothing = Playing(lambda states: states, lambda actions: actions[-1])
    yield "nothing", 0.0, nothing
    for strength in STRENGTHS["sensor noise"]:
        yield "sensor noise", strength, nothing._replace(seen=partial(noisy, strength=strength))
    for name, done in (("weak motors", weak), ("delay", late)):
        for strength in STRENGTHS[name]:
            yield name, strength, nothing._replace(done=partial(done, strength=strength))


def play(prior: Any, envs: list[Any], first_seed: int, playing: Playing) -> tuple[Tensor, float]:
    """Episodes of the prior's mean in lockstep: states that it was told (B, T, S), success rate."""
    states = np.stack([env.reset(seed=first_seed + i)[0] for i, env in enumerate(envs)])
    told, actions, solved, ended = [], [], np.zeros(len(envs), bool), False
    while not ended:
        told.append(playing.seen(states).astype(np.float32))
        actions.append(prior.mean(torch.from_numpy(told[-1])).clamp(-1, 1).numpy())
        for index, (env, action) in enumerate(zip(envs, playing.done(actions), strict=True)):
            states[index], _, terminated, truncated, info = env.step(action)
            solved[index] |= info.get("success", False)
            ended = terminated or truncated
    return torch.from_numpy(np.stack(told, 1)), float(solved.mean())
