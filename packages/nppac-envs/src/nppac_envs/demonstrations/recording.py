"""`record`: new demonstrations from anything that turns a state into an action."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nppac_envs.checked import make_checked
from nppac_envs.config import EnvConfig
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.episodes import Episode, read_episodes
from nppac_envs.errors import ConfigError
from nppac_envs.foreign.adapted import action_bounds

Policy = Callable[[NDArray[np.float32]], ArrayLike]
"""A state (S,) to an action (A,). A method `reset()` of it is called before each episode."""

Keep = Literal["all", "ever", "at-end"]
"""All episodes, those with a success at any step, or those with one at the last step."""

_PLAYED_PER_KEPT = 10


def record(
    config: EnvConfig,
    policy: Policy,
    n_episodes: int,
    *,
    n_steps: int = 0,
    first_seed: int = 0,
    keep: Keep = "all",
    source: str = "recorded",
    on_episode: Callable[[int, int], None] | None = None,
) -> tuple[Demonstrations, int]:
    """Play episodes until `n_episodes` are kept, and `n_steps` of them.

    Args:
        config: The environment.
        policy: Acts; what it returns is clipped to [-1, 1], as the environment sees it.
        n_episodes: How many to keep, 1 or more.
        n_steps: How many steps these are to have together, at least; 0 counts episodes alone.
        first_seed: The environment's seed of the first episode; every further one is one more, so
            that the same call records the same episodes.
        keep: Which episodes.
        source: The set's name in messages.
        on_episode: Called after each episode with the numbers kept and played so far.

    Returns:
        The episodes, and how many were played.

    Raises:
        ConfigError: Fewer than one episode in ten is kept, the environment knows no success, or
            the policy returns no finite numbers of an action's size.
        FaultyEnvironmentError: The environment breaks its contract.
    """
    if n_episodes < 1:
        raise ConfigError(f"n_episodes must be 1 or more; got {n_episodes}")
    if keep != "all" and not knows_success(config):
        raise ConfigError(f"{config.shown_as} knows no success; keep all episodes")
    kept: list[Episode] = []
    played = steps = 0
    env = make_checked(config)
    try:
        bounds = action_bounds(env)
        while len(kept) < n_episodes or steps < n_steps:
            if played >= _PLAYED_PER_KEPT * max(n_episodes, len(kept) + 1):
                raise ConfigError(
                    f"{source}: only {len(kept)} of {played} episodes succeeded; "
                    "record from something better"
                )
            episode = play_episode(env, policy, first_seed + played)
            played += 1
            if _is_kept(episode, keep):
                kept.append(episode)
                steps += len(episode.actions)
            if on_episode is not None:
                on_episode(len(kept), played)
    finally:
        env.close()
    arrays: dict[str, Any] = read_episodes(kept, lambda episode, _: episode, source)
    return Demonstrations(**arrays, source=source, action_bounds=bounds), played


def few_successes(kept: int, played: int) -> str | None:
    """What to think of a recording that kept few of its episodes; None where it kept half."""
    if 2 * kept >= played:
        return None
    return (
        f"only {kept / played:.0%} of the episodes succeeded: what is kept shows the luck of this "
        "policy, and a prior will not succeed more often than it does"
    )


def knows_success(config: EnvConfig) -> bool:
    """Whether an environment tells success; one whose config cannot know plays an episode."""
    if config.has_success is not None:
        return config.has_success
    with contextlib.closing(make_checked(config)) as env:
        still = np.zeros(env.action_space.shape or (), np.float32)
        return play_episode(env, lambda state: still, seed=0).successes is not None


def play_episode(env: Any, policy: Policy, seed: int | None = None) -> Episode:
    """One episode of an environment; successes where an info has them, False where others do.

    Raises:
        ConfigError: The policy returns no finite numbers of an action's size.
    """
    if hasattr(policy, "reset"):
        policy.reset()  # pyright: ignore[reportFunctionMemberAccess]
    state, _ = env.reset(seed=seed)
    states, actions, rewards, successes = [state], [], [], []
    terminated = truncated = False
    while not (terminated or truncated):
        actions.append(_action(policy(state), env.action_space.shape))
        state, reward, terminated, truncated, info = env.step(actions[-1])
        states.append(state)
        rewards.append(float(reward))
        successes.append(info.get("success"))
    return Episode(
        np.stack(states),
        np.stack(actions),
        np.array(rewards),
        None if set(successes) <= {None} else np.array(successes, np.bool_),
        terminated=bool(terminated),
    )


def _action(given: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    try:
        action = np.asarray(given, np.float32)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the policy returned {type(given).__name__}, not numbers") from error
    if action.shape != shape or not np.isfinite(action).all():
        raise ConfigError(
            f"the policy returned an action of shape {action.shape}; it must be finite and {shape}"
        )
    return np.clip(action, -1.0, 1.0)


def _is_kept(episode: Episode, keep: Keep) -> bool:
    if keep == "all" or episode.successes is None:
        return keep == "all"
    return bool(episode.successes.any() if keep == "ever" else episode.successes[-1])
