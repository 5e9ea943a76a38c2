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
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.doctor import Finding, episode_list
from nppac_envs.demonstrations.starts import start_from

_SMALL = 1e-3
_DRIFT = 0.1


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
    """

    episode: int
    deviations: NDArray[np.float64]
    recorded: bool | None
    simulated: bool | None

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
) -> Iterator[Replayed]:
    """Simulate episodes again, open loop, from the state that their first observation tells.

    Args:
        demonstrations: The set.
        config: The task; its horizon and termination are not applied.
        episodes: Numbers of episodes.
        on_step: Called with the environment at the start and after each step, e.g. to draw it.

    Yields:
        One result an episode.

    Raises:
        ConfigError: Episodes of the task cannot be simulated again.
    """
    scales = demonstrations.states.std(axis=0, dtype=np.float64)
    scales[scales == 0.0] = 1.0
    flags = demonstrations.recorded_successes
    ends = np.cumsum(demonstrations.episode_lengths)
    env = config.make(render_mode=None if on_step is None else "rgb_array")
    try:
        for episode in episodes:
            steps = slice(
                int(ends[episode] - demonstrations.episode_lengths[episode]), ends[episode]
            )
            states = np.vstack(
                [demonstrations.states[steps], demonstrations.final_states[episode : episode + 1]]
            )
            seen, solved = _simulate(env, config, states[0], demonstrations.actions[steps], on_step)
            yield Replayed(
                episode,
                (np.abs(seen.astype(np.float64) - states) / scales).max(axis=1),
                None if flags is None else bool(flags[steps].any()),
                solved if config.has_success else None,
            )
    finally:
        env.close()


def _simulate(
    env: Any,
    config: EnvConfig,
    first: NDArray[np.float32],
    actions: NDArray[np.float32],
    on_step: Callable[[Any], None] | None,
) -> tuple[NDArray[np.float32], bool]:
    """The states (T + 1, S), and whether any step was a success."""
    seen = [start_from(env, config.kind, first)]
    solved = False
    show = on_step or (lambda env: None)
    show(env)
    for action in actions:
        # The task itself: a recorded episode may be longer than the horizon of the wrappers.
        observation, _, _, _, info = env.unwrapped.step(action)
        solved |= bool(info.get("success", False))
        seen.append(observation)
        show(env)
    return np.stack(seen), solved


def drift_findings(demonstrations: Demonstrations, config: EnvConfig) -> list[Finding]:
    """What `doctor` says of a simulation of all episodes.

    Raises:
        ConfigError: Episodes of the task cannot be simulated again.
    """
    results = list(replay(demonstrations, config, range(demonstrations.n_episodes)))
    findings = []
    wrong = [r.episode for r in results if r.deviations[0] > _SMALL]
    if wrong:
        worst = max(result.deviations[0] for result in results)
        findings.append(
            Finding(
                "warning",
                "start states",
                f"the simulator starts elsewhere, by up to {worst:.2g} standard deviations, in "
                f"{episode_list(wrong)}",
                "the set is of another task or version, or did not begin at rest",
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
                "open loop this is normal after contact; much earlier than that, the physics are "
                "another's",
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
                "the simulator is not the one of the recording: do not mix this set with new data "
                "without a thought",
            )
        )
    return findings
