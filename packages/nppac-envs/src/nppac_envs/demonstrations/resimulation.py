"""`replay`: recorded actions in the simulator again, and how far it goes another way.

Contact makes small differences grow, so even a good simulator leaves a recorded episode after
some steps. What matters is whether the task's outcome is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.config import EnvConfig
from nppac_envs.demonstrations.action_map import with_bounds_of
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.findings import Finding, episode_list
from nppac_envs.demonstrations.starts import can_start_from, start_by_seed, start_from
from nppac_envs.errors import ConfigError
from nppac_envs.foreign.adapted import action_bounds

_SMALL = 1e-3
_DRIFT = 0.1
_SEEDS = 100


@final
@dataclass(frozen=True, eq=False)
class Replayed:
    """One episode, recorded and simulated.

    Attributes:
        episode: Its number in the set.
        deviations: (T + 1,) the largest difference of a state entry, in standard deviations of that
            entry over the set (entries that never change: in their own units), at the start and
            after each step.
        recorded: Success at any step as it was recorded, None where unknown.
        simulated: Success at any step of the simulation, None where the task has none.
        by_seed: Whether the simulation began with a reset by a seed, since the environment cannot
            be put where the first observation says.
        flags: (T,) success after each step of the simulation.
    """

    episode: int
    deviations: NDArray[np.float64]
    recorded: bool | None
    simulated: bool | None
    by_seed: bool
    flags: NDArray[np.bool_]

    @property
    def leaves_at(self) -> int | None:
        """The first step after which the deviation is above 0.1; None if it never is."""
        far = np.flatnonzero(self.deviations > _DRIFT)
        return int(far[0]) if far.size else None


def replay(
    demonstrations: Demonstrations,
    config: EnvConfig,
    episodes: Iterable[int],
    on_step: Callable[[Any], None] | None = None,
    *,
    first_seed: int = 0,
) -> Iterator[Replayed]:
    """Simulate episodes again, open loop, from the state that their first observation tells.

    An environment that cannot be put there is reset by `first_seed` plus the episode's number.

    Args:
        demonstrations: The set.
        config: The task; its horizon and termination are not applied.
        episodes: Numbers of episodes.
        on_step: Called with the environment at the start and after each step, e.g. to draw it.
        first_seed: Seed of the recording's first episode.

    Yields:
        One result an episode.

    Raises:
        ConfigError: Episodes of the task cannot be simulated again.
        DataError: They were recorded with actions that are out of the environment's bounds.
    """
    scales = demonstrations.states.std(axis=0, dtype=np.float64)
    scales[scales == 0.0] = 1.0
    flags = demonstrations.recorded_successes
    ends = np.cumsum(demonstrations.episode_lengths)
    env = config.make(render_mode=None if on_step is None else "rgb_array")
    try:
        demonstrations = with_bounds_of(demonstrations, action_bounds(env), config.shown_as)
        for episode in episodes:
            steps = slice(
                int(ends[episode] - demonstrations.episode_lengths[episode]), ends[episode]
            )
            states = np.vstack(
                [demonstrations.states[steps], demonstrations.final_states[episode : episode + 1]]
            )
            by_seed = not can_start_from(env, config.kind)
            seen = [
                start_by_seed(env, states[0], first_seed + episode)
                if by_seed
                else start_from(env, config.kind, states[0])
            ]
            further, solved = _simulate(env, demonstrations.actions[steps], seen[0], on_step)
            yield Replayed(
                episode,
                (np.abs(np.stack(seen + further).astype(np.float64) - states) / scales).max(axis=1),
                None if flags is None else bool(flags[steps].any()),
                any(solved) if set(solved) != {None} else None,
                by_seed,
                np.array(solved, np.bool_),
            )
    finally:
        env.close()


def _simulate(
    env: Any,
    actions: NDArray[np.float32],
    first: NDArray[np.float32],
    on_step: Callable[[Any], None] | None,
) -> tuple[list[NDArray[np.float32]], list[bool | None]]:
    """The observation and the success after each action; after a terminal state, the last ones."""
    seen: list[NDArray[np.float32]] = []
    solved: list[bool | None] = []
    show = on_step or (lambda env: None)
    show(env)
    terminated = False
    for action in actions:
        if terminated:
            seen.append(seen[-1])
            solved.append(solved[-1])
        else:
            # A recorded episode may be longer than the horizon, where truncation ends nothing.
            observation, _, terminated, _, info = env.step(action)
            seen.append(observation)
            solved.append(info.get("success"))
        show(env)
    return seen, solved


def simulated_successes(
    demonstrations: Demonstrations, config: EnvConfig, *, first_seed: int = 0
) -> tuple[Demonstrations, bool]:
    """The same episodes with `successes` as a simulation of their actions reports them.

    A success that the simulation does not reach stays (`Demonstrations.with_verdict`).

    Returns:
        The episodes, and whether the simulations began by seed (see `replay`).

    Raises:
        ConfigError: Episodes cannot be simulated again, or the environment reports no success.
    """
    everything = range(demonstrations.n_episodes)
    results = list(replay(demonstrations, config, everything, first_seed=first_seed))
    if any(result.simulated is None for result in results):
        raise ConfigError(f"{config.shown_as} reports no success by which episodes can be judged")
    flags = np.concatenate([result.flags for result in results])
    return demonstrations.with_verdict(flags), results[0].by_seed


def drift_findings(
    demonstrations: Demonstrations, config: EnvConfig, *, first_seed: int = 0
) -> list[Finding]:
    """What `doctor` says of a simulation of all episodes.

    Raises:
        ConfigError: Episodes of the task cannot be simulated again.
    """
    everything = range(demonstrations.n_episodes)
    results = list(replay(demonstrations, config, everything, first_seed=first_seed))
    findings = []
    wrong = [r.episode for r in results if r.deviations[0] > _SMALL]
    if wrong:
        worst = max(result.deviations[0] for result in results)
        seed = _first_seed(demonstrations, config) if results[0].by_seed else None
        findings.append(
            Finding(
                "warning",
                "start states",
                f"the simulator starts elsewhere, by up to {worst:.2g} standard deviations, in "
                f"{episode_list(wrong)}",
                () if seed is None else ({"first_seed": seed},),
            )
        )
    left = [result.leaves_at for result in results if result.leaves_at is not None]
    if left:
        findings.append(
            Finding(
                "note",
                "replay drift",
                f"{len(left)} of {len(results)} simulations leave the recorded states by 0.1 "
                f"standard deviations, at step {np.median(left):g} in the median",
            )
        )
    other = [
        result.episode
        for result in results
        if None not in (result.recorded, result.simulated) and result.recorded != result.simulated
    ]
    if other:
        findings.append(
            Finding(
                "warning",
                "replay outcome",
                f"success is not what was recorded in {episode_list(other)}",
                # Others are judged by a rule on what was recorded.
                ({"judge": config.kind},) if config.kind == "gymnasium" else (),
            )
        )
    return findings


def _first_seed(demonstrations: Demonstrations, config: EnvConfig) -> int | None:
    """The seed, of those below 100, from which on resets begin as all episodes do."""
    starts = np.cumsum(demonstrations.episode_lengths) - demonstrations.episode_lengths
    first = demonstrations.states[starts]
    scales = demonstrations.states.std(axis=0, dtype=np.float64)
    near = _SMALL * np.where(scales == 0.0, 1.0, scales)
    env = config.make()
    try:
        for seed in range(_SEEDS):
            if all(
                (np.abs(start_by_seed(env, state, seed + episode) - state) <= near).all()
                for episode, state in enumerate(first)
            ):
                return seed
    finally:
        env.close()
    return None
