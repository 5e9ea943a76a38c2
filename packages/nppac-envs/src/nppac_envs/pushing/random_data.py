"""The data of AWAC's experiment on learning from random data: trajectories without a purpose.

`python -m nppac_envs.pushing.random_data push.npz` writes 500 of them, of 50 steps each, for
`NpzConfig`; `random_trajectories` returns them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.episodes import Episode, join
from nppac_envs.pushing.config import PushConfig
from nppac_envs.random_process import OrnsteinUhlenbeck

_SOURCE = "random pushing"


def random_trajectories(
    n_episodes: int = 500,
    *,
    seed: int,
    theta: float = 0.15,
    sigma: float = 0.3,
    config: PushConfig | None = None,
) -> Demonstrations:
    """Episodes whose actions are an Ornstein-Uhlenbeck process.

    Args:
        n_episodes: How many.
        seed: Fixes goals and actions.
        theta: Pull of the process to 0.
        sigma: Standard deviation of its steps.
        config: The task; None: the default one.

    Returns:
        Episodes with rewards and successes; states as `PushConfig.make` observes them.
    """
    env = (config or PushConfig()).make()
    rng = np.random.default_rng(seed)
    process = OrnsteinUhlenbeck(2, rng, theta=theta, sigma=sigma)
    env.reset(seed=seed)
    episodes = [_play(env, process) for _ in range(n_episodes)]
    env.close()
    arrays: dict[str, Any] = join(episodes, _SOURCE)
    return Demonstrations(**arrays, source=_SOURCE)


def _play(env: gymnasium.Env[Any, Any], process: OrnsteinUhlenbeck) -> Episode:
    process.reset()
    state, _ = env.reset()
    states, actions, rewards, successes = [state], [], [], []
    ended = False
    while not ended:
        actions.append(process(state))
        state, reward, terminated, truncated, info = env.step(actions[-1])
        states.append(state)
        rewards.append(reward)
        successes.append(info["success"])
        ended = terminated or truncated
    return Episode(np.stack(states), np.stack(actions), np.array(rewards), np.array(successes))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write random trajectories to an npz file."""
    parser = argparse.ArgumentParser(
        prog="python -m nppac_envs.pushing.random_data",
        description="Write random trajectories of the pushing task to an npz file.",
    )
    parser.add_argument("output", help="the file to write")
    parser.add_argument("--episodes", type=int, default=500, metavar="N", help="how many (500)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="fixes everything (0)")
    options = parser.parse_args(arguments)
    random_trajectories(options.episodes, seed=options.seed).save_npz(options.output)


if __name__ == "__main__":
    main()
