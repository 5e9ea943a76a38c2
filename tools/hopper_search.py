"""Finds the first demonstrator of the hopper: a linear policy, by augmented random search.

V2-t of Mania et al. (2018, "Simple random search of static linear policies is competitive for
reinforcement learning", algorithm 2), with the settings that they used for the hopper. Some five
minutes on one core; then `policy` records the episodes that the agent of hopper's shipped set
learned from:

    python -m tools.hopper_search
    nppac-demos record --task hopper --set variant=v5 --policy tools/hopper_search.py:policy ...
"""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path

import numpy as np
from nppac_envs import HopperConfig
from nppac_envs.checked import CheckedEnv, make_checked

DIRECTIONS, BEST, STEP_SIZE, SEARCH_STD = 8, 4, 0.01, 0.025
ITERATIONS, SEED = 60, 1
SURVIVAL = 1.0
"""Reward of a step without a fall, which the search does not count: else it learns to stand"""
ACTION_NOISE = 0.1
POLICY = Path("hopper-policy.json")


class Normaliser:
    """Running mean and deviation of all states that were seen."""

    def __init__(self, size: int) -> None:
        self.count, self.mean, self.squares = 0, np.zeros(size), np.zeros(size)

    def see(self, states: list[np.ndarray]) -> None:
        """Takes in states (S,), one after the other (Welford 1962)."""
        for state in states:
            self.count += 1
            off = state - self.mean
            self.mean = self.mean + off / self.count
            self.squares = self.squares + off * (state - self.mean)

    def std(self) -> np.ndarray:
        """(S,); 1 as long as nothing was seen."""
        return np.sqrt(self.squares / (self.count - 1)) if self.count else np.ones_like(self.mean)


def main() -> None:
    """Search, and keep the best policy of every ten steps in the working directory."""
    env = make_checked(HopperConfig(variant="v5"))
    rng, seen = np.random.default_rng(SEED), Normaliser(11)
    weights, best = np.zeros((3, 11)), -math.inf
    for iteration in range(1, ITERATIONS + 1):
        weights = weights + step(env, weights, seen, rng)
        if iteration % 10:
            continue
        gains = weights / seen.std()
        found = float(np.mean([play(env, gains, seen.mean, seed)[0] for seed in range(5)]))
        print(f"{iteration}/{ITERATIONS}: return {found:,.0f} without survival", flush=True)
        if found > best:
            best, parts = found, {"gains": gains.tolist(), "centre": seen.mean.tolist()}
            POLICY.write_text(json.dumps(parts) + "\n")


def step(
    env: CheckedEnv, weights: np.ndarray, seen: Normaliser, rng: np.random.Generator
) -> np.ndarray:
    """The change of the weights (A, S) after episodes along random directions and back."""
    centre, std = seen.mean, seen.std()
    directions = rng.standard_normal((DIRECTIONS, *weights.shape))
    returns = np.zeros((DIRECTIONS, 2))
    visited = []
    for index, direction in enumerate(directions):
        seed = int(rng.integers(2**31))
        for side, sign in enumerate((1, -1)):
            tried = weights + sign * SEARCH_STD * direction
            returns[index, side], states = play(env, tried / std, centre, seed)
            visited += states
    seen.see(visited)
    best = np.argsort(returns.max(1))[-BEST:]
    differences = returns[best, 0] - returns[best, 1]
    along = np.einsum("n,nas->as", differences, directions[best])
    return STEP_SIZE / (BEST * returns[best].std()) * along


def play(
    env: CheckedEnv, gains: np.ndarray, centre: np.ndarray, seed: int
) -> tuple[float, list[np.ndarray]]:
    """One episode: its return without the reward of survival, and the states it came to."""
    state, _ = env.reset(seed=seed)
    total, states, ended = 0.0, [], False
    while not ended:
        states.append(state)
        action = np.clip(gains @ (state - centre), -1, 1)
        state, reward, terminated, truncated, _ = env.step(action)
        total += reward - SURVIVAL
        ended = terminated or truncated
    return total, states


class Demonstrator:
    """The policy that was found, with Gaussian action noise, another one in each episode."""

    def __init__(self) -> None:
        self.episodes = 0
        self.noise = np.random.default_rng(0)

    def reset(self) -> None:
        """Draws the noise of another episode from now on."""
        self.noise = np.random.default_rng(self.episodes)
        self.episodes += 1

    def __call__(self, state: np.ndarray) -> np.ndarray:
        """The action (3,) at a state (11,), clipped."""
        gains, centre = as_found()
        noise = ACTION_NOISE * self.noise.standard_normal(3)
        return np.clip(gains @ (state - centre) + noise, -1, 1)


@functools.cache
def as_found() -> tuple[np.ndarray, np.ndarray]:
    """Gains (A, S) and centre (S,) as the search wrote them, in the working directory."""
    read = json.loads(POLICY.read_text())
    return np.array(read["gains"]), np.array(read["centre"])


policy = Demonstrator()

if __name__ == "__main__":
    main()
