"""`start_from`: a simulator put where a recorded episode began, from its first observation.

Observations of the hand tasks and of locomotion hold the positions, and the hand tasks' episodes
begin at rest, so that what an observation leaves out (velocities of the hand, the robot's place on
its track) is known. What cannot be rebuilt shows as a difference between the two observations.

An environment of somebody else is asked itself: its method `start_from(observation)`, if it has
one, gets the flat observation (S,) and returns the one of where it is then. Without it,
`start_by_seed` resets it as the recording did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import ConfigError
from nppac_envs.faults import described


def start_from(env: Any, kind: str, observation: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reset an environment and put its simulator where an episode began.

    Args:
        env: An environment that an `EnvConfig` made.
        kind: Its kind.
        observation: (S,) the episode's first observation.

    Returns:
        (S,) the observation of the simulator now; it equals `observation` where all could be
        rebuilt.

    Raises:
        ConfigError: There is no way back from an observation of this kind of environment, or the
            observation has another size; `start_from` returned none.
    """
    if kind == "gymnasium":
        start_by_seed(env, observation, seed=0)
        there = env.unwrapped.start_from(observation)
        if not isinstance(there, np.ndarray) or there.shape != observation.shape:
            raise ConfigError(
                f"start_from() of {type(env.unwrapped).__name__} returned {described(there)}, has "
                f"to return the observation that it then has, an array of shape {observation.shape}"
            )
        return there.astype(np.float32)
    if kind not in _PLACERS:
        raise ConfigError(
            f"episodes of {kind!r} cannot be simulated again, because the simulator's state does "
            f"not follow from an observation; of {', '.join(map(repr, _PLACERS))} they can"
        )
    first, _ = env.reset(seed=0)
    if first.shape != observation.shape:
        raise ConfigError(
            f"an observation has {observation.shape[-1]} dimensions, and {kind!r} has "
            f"{first.shape[-1]}"
        )
    simulator = env.unwrapped.simulator
    _PLACERS[kind](simulator, observation.astype(np.float64))
    return simulator._get_obs().astype(np.float32)


def can_start_from(env: Any, kind: str) -> bool:
    """Whether an environment can be put where an observation says."""
    return kind != "gymnasium" or callable(getattr(env.unwrapped, "start_from", None))


def start_by_seed(env: Any, observation: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Reset an environment with the seed of an episode.

    Returns:
        (S,) the observation of the reset; it equals `observation` where the seed was the episode's.

    Raises:
        ConfigError: The observation has another size.
    """
    first, _ = env.reset(seed=seed)
    if first.shape != observation.shape:
        raise ConfigError(
            f"an observation has {observation.shape[-1]} dimensions, and the environment has "
            f"{first.shape[-1]}"
        )
    return first


def _place_door(simulator: Any, observation: NDArray[np.float64]) -> None:
    """The hand but for its depth, latch and hinge; then the depth and the frame from two places."""
    qpos, qvel = simulator.init_qpos.copy(), simulator.init_qvel
    qpos[1:-2], qpos[-1], qpos[-2] = observation[:27], observation[27], observation[28]
    simulator.set_state(qpos, qvel)
    palm = simulator._get_obs()[29:32]
    moved = qpos.copy()
    moved[0] += 0.01
    simulator.set_state(moved, qvel)
    direction = (simulator._get_obs()[29:32] - palm) / 0.01
    qpos[0] += direction @ (observation[29:32] - palm)
    frame = simulator.model.body_pos[simulator.door_body_id]
    frame += observation[32:35] - simulator._get_obs()[32:35]
    simulator.set_state(qpos, qvel)


def _place_pen(simulator: Any, observation: NDArray[np.float64]) -> None:
    """The hand at rest around the pen, and the goal turned to its direction."""
    qpos = simulator.init_qpos.copy()
    qpos[:-6] = observation[:24]
    goal = simulator.model.body_quat[simulator.target_obj_body_id]
    turn = _rotation(simulator._get_obs()[36:39], observation[36:39])
    goal[:] = _product(turn, goal)
    simulator.set_state(qpos, simulator.init_qvel)


def _place_relocate(simulator: Any, observation: NDArray[np.float64]) -> None:
    """The hand at rest; the ball and the goal by their distances from the palm."""
    qpos = simulator.init_qpos.copy()
    qpos[:-6] = observation[:30]
    simulator.set_state(qpos, simulator.init_qvel)
    seen = simulator._get_obs()
    ball = simulator.model.body_pos[simulator.obj_body_id]
    ball += seen[30:33] - observation[30:33]
    goal = simulator.model.site_pos[simulator.target_obj_site_id]
    goal += seen[33:36] - observation[33:36]
    simulator.set_state(qpos, simulator.init_qvel)


def _place_hammer(simulator: Any, observation: NDArray[np.float64]) -> None:
    """The hand at rest, and the board at the height of its nail."""
    qpos = simulator.init_qpos.copy()
    qpos[:-6] = observation[:27]
    simulator.set_state(qpos, simulator.init_qvel)
    board = simulator.model.body_pos[simulator.target_body_id]
    board += observation[42:45] - simulator._get_obs()[42:45]
    simulator.set_state(qpos, simulator.init_qvel)


def _place_robot(simulator: Any, observation: NDArray[np.float64]) -> None:
    """Positions and velocities; the place on the track, which no observation has, is 0."""
    positions, velocities = simulator.model.nq, simulator.model.nv
    hidden = 2 if positions == 15 else 1
    qpos = np.zeros(positions)
    qpos[hidden:] = observation[: positions - hidden]
    qvel = observation[positions - hidden :][:velocities]
    simulator.set_state(qpos, qvel)


_PLACERS: dict[str, Callable[[Any, NDArray[np.float64]], None]] = {
    "door": _place_door,
    "pen": _place_pen,
    "relocate": _place_relocate,
    "hammer": _place_hammer,
    **dict.fromkeys(("halfcheetah", "walker2d", "hopper", "ant"), _place_robot),
}


def _rotation(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quaternion (w, x, y, z) of the shortest turn from one direction to another."""
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    quaternion = np.append(1.0 + start @ end, np.cross(start, end))
    return quaternion / np.linalg.norm(quaternion)


def _product(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quaternion product: turn by `second`, then by `first`."""
    w, x, y, z = first
    matrix = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    return matrix @ second
