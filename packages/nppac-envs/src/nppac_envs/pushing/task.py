"""The pushing task as a Gymnasium environment with goals.

AWAC's environment (a Sawyer arm of the package multiworld, 40 x 20 cm, reward minus the distance to
the goal) is not maintained; this one has its workspace, goals and reward with the Fetch arm. The
robot, its speed, the starting places and the horizon are this project's, so that numbers compare
with the paper's in kind and not in size.
"""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from nppac_envs.mujoco_task import MujocoTask
from nppac_envs.pushing.arm import FetchArm

AREA = np.array([[-0.10, 0.10], [-0.20, 0.20]])
"""Where goals are: away from the robot and across, from the middle, in metres."""
SUCCESS_DISTANCE = 0.05
_MIDDLE = np.array([1.08, 0.75])  # in the world
_MARGIN = 0.05  # the hand reaches around a puck on the edge
_SPEED = 0.02  # metres that an action of 1 moves the hand's target in one step
_HAND_START = np.array([-0.10, 0.0])
_PUCK_START = np.array([0.0, 0.0])
_ORIGINS = np.concatenate([_MIDDLE, _MIDDLE, np.zeros(4), _MIDDLE, _MIDDLE])

GoalObservation = dict[str, NDArray[np.float32]]


@final
class PushTask(MujocoTask):
    """Push the puck to the goal; wrap it in a `TimeLimit` (the registered id does).

    Observations are dictionaries of float32, in metres and m/s from the area's middle: first the
    coordinate that leads away from the robot, then the one to its left.

    * `observation` (8,): hand, puck, the hand's velocity, the puck's velocity.
    * `achieved_goal` (2,): the puck. `desired_goal` (2,): where it should be.

    Actions (2,) move the hand's target by up to 2 cm. `info` holds `success: bool` and nothing
    else. Never terminates.

    Attributes:
        simulator: The arm.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}  # noqa: RUF012
    model_fields = ("site_pos",)
    attributes = ("goal",)

    def __init__(self, render_mode: str | None = None) -> None:
        """Build the simulator; `render_mode` is `None` or "rgb_array"."""
        self.simulator = FetchArm(_MIDDLE + _HAND_START, _MIDDLE + _PUCK_START, render_mode)
        self.render_mode = render_mode
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        sizes = {"observation": 8, "achieved_goal": 2, "desired_goal": 2}
        self.observation_space = spaces.Dict(
            {name: spaces.Box(-np.inf, np.inf, (size,)) for name, size in sizes.items()}
        )
        self._reach = (_MIDDLE + AREA[:, 0] - _MARGIN, _MIDDLE + AREA[:, 1] + _MARGIN)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[GoalObservation, dict[str, Any]]:
        """Put hand and puck back and draw a goal, uniform in the area.

        Args:
            seed: Seeds the generator of goals; `None` continues it.
            options: `{"goal": (2,)}` takes this goal in place of a drawn one.
        """
        super().reset(seed=seed)
        goal = self.np_random.uniform(AREA[:, 0], AREA[:, 1])
        if options is not None and "goal" in options:
            goal = np.asarray(options["goal"], np.float64)
        self.simulator.restart(_MIDDLE + goal)
        observation, distance = self._observe()
        return observation, {"success": distance < SUCCESS_DISTANCE}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[GoalObservation, float, bool, bool, dict[str, Any]]:
        """Advance 0.04 s; entries of the action outside [-1, 1] are clipped."""
        self.move(action)
        observation, distance = self._observe()
        return observation, -distance, False, False, {"success": distance < SUCCESS_DISTANCE}

    def move(self, action: NDArray[np.float32]) -> None:
        """What `step` does, without looking at the result."""
        way = _SPEED * np.clip(action, -1.0, 1.0)
        self.simulator.move_to(np.clip(self.simulator.hand_target + way, *self._reach))
        self.simulator.advance()

    def _observe(self) -> tuple[GoalObservation, float]:
        """The observation, and the puck's distance to the goal in float64."""
        hand, puck = self.simulator.positions()
        goal = self.simulator.goal
        values = np.concatenate([hand, puck, *self.simulator.velocities(), puck, goal])
        flat = (values - _ORIGINS).astype(np.float32)
        observation = {
            "observation": flat[:8],
            "achieved_goal": flat[8:10],
            "desired_goal": flat[10:],
        }
        self.last_observation = observation
        return observation, math.hypot(puck[0] - goal[0], puck[1] - goal[1])

    def compute_reward(
        self, achieved_goal: NDArray[Any], desired_goal: NDArray[Any], info: Any
    ) -> NDArray[np.float64]:
        """Minus the distances of goals (..., 2), to relabel with other goals; `info` is unused."""
        del info
        return minus_distances(achieved_goal, desired_goal)


def minus_distances(achieved: NDArray[Any], desired: NDArray[Any]) -> NDArray[np.float64]:
    """The rewards (...) of pucks at `achieved` (..., 2) whose goals are `desired` (..., 2)."""
    difference = np.asarray(achieved, np.float64) - np.asarray(desired, np.float64)
    return -np.linalg.norm(difference, axis=-1)
