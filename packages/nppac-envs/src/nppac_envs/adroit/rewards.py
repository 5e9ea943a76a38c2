"""The shaped rewards of the hand tasks, as in the simulator that N-PPAC used.

Source: the hand suite in github.com/conglu1997/mj_envs, on which the paper's results were made. Its
"sparse" is no 0/1 reward, and its "dense" is neither that of D4RL nor that of Gymnasium-Robotics;
`docs/tasks` in the project's repository has the differences. Lengths are in metres, angles in rad.

Each function reads the simulator after a step and takes the success flag of that step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reward = Callable[[Any, bool], float]


def _distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(first - second))


def door_sparse(simulator: Any, success: bool) -> float:
    """10 on success, 8 and 2 above 1.0 and 1.2 rad, less a tenth of the squared way to 1.57."""
    hinge = float(simulator.data.qpos[simulator.door_hinge_addrs])
    return 10 * success + 8 * (hinge > 1.0) + 2 * (hinge > 1.2) - 0.1 * (hinge - 1.57) ** 2


def door_dense(simulator: Any, success: bool) -> float:
    """`door_sparse` less a tenth of the palm's distance to the handle."""
    sites = simulator.data.site_xpos
    reach = _distance(sites[simulator.grasp_site_id], sites[simulator.handle_site_id])
    return door_sparse(simulator, success) - 0.1 * reach


def pen_sparse(simulator: Any, success: bool) -> float:
    """50 on success."""
    del simulator
    return 50.0 * success


def pen_dense(simulator: Any, success: bool) -> float:
    """`pen_sparse`, the cosine less the distance, 10 for a cosine above 0.9, -5 for a drop."""
    sites = simulator.data.site_xpos
    position = simulator.data.xpos[simulator.obj_body_id]
    direction = sites[simulator.obj_t_site_id] - sites[simulator.obj_b_site_id]
    goal = sites[simulator.tar_t_site_id] - sites[simulator.tar_b_site_id]
    cosine = float(direction @ goal) / (simulator.pen_length * simulator.tar_length)
    shaped = cosine - _distance(position, sites[simulator.eps_ball_site_id])
    return 50.0 * success + shaped + 10 * (cosine > 0.9) - 5 * pen_dropped(simulator)


def pen_dropped(simulator: Any) -> bool:
    """Whether the pen has fallen out of the hand: its centre is below 0.075 m."""
    return bool(simulator.data.xpos[simulator.obj_body_id, 2] < 0.075)


def relocate_sparse(simulator: Any, success: bool) -> float:
    """30 on success (20 for it and 10 for a distance below 0.1, which is the same)."""
    del simulator
    return 30.0 * success


def relocate_dense(simulator: Any, success: bool) -> float:
    """`relocate_sparse`, the reach to the ball, and the way to the goal once it is lifted."""
    ball = simulator.data.xpos[simulator.obj_body_id]
    palm = simulator.data.site_xpos[simulator.S_grasp_site_id]
    goal = simulator.data.site_xpos[simulator.target_obj_site_id]
    reward = 30.0 * success - 0.1 * _distance(palm, ball)
    if ball[2] > 0.04:
        reward += 1.0 - 0.5 * _distance(palm, goal) - 0.5 * _distance(ball, goal)
    return reward


def hammer_sparse(simulator: Any, success: bool) -> float:
    """75 on success, 25 within 0.02 m, less ten times the nail's distance to its goal."""
    sites = simulator.data.site_xpos
    depth = _distance(sites[simulator.target_obj_site_id], sites[simulator.goal_site_id])
    return 75.0 * success + 25 * (depth < 0.02) - 10 * depth


def hammer_dense(simulator: Any, success: bool) -> float:
    """`hammer_sparse`, a cost of speed, and 2 for a lifted hammer.

    The palm's distance to the hammer is *rewarded*: the source subtracts a negative number, and the
    published results were made with it.
    """
    hammer = simulator.data.xpos[simulator.obj_body_id]
    head = simulator.data.site_xpos[simulator.tool_site_id]
    palm = simulator.data.site_xpos[simulator.S_grasp_site_id]
    speed = float(np.linalg.norm(simulator.data.qvel))
    lifted = hammer[2] > 0.04 and head[2] > 0.04
    shaped = 0.1 * _distance(palm, hammer) - 0.01 * speed + 2 * lifted
    return hammer_sparse(simulator, success) + shaped


def zero_one(simulator: Any, success: bool) -> float:
    """1 on success, 0 elsewhere."""
    del simulator
    return float(success)


def binary(simulator: Any, success: bool) -> float:
    """0 on success, -1 elsewhere."""
    del simulator
    return float(success) - 1.0


_SHAPED: dict[str, dict[str, Reward]] = {
    "door": {"sparse": door_sparse, "dense": door_dense},
    "pen": {"sparse": pen_sparse, "dense": pen_dense},
    "relocate": {"sparse": relocate_sparse, "dense": relocate_dense},
    "hammer": {"sparse": hammer_sparse, "dense": hammer_dense},
}


def rewards_of(task: str) -> dict[str, Reward]:
    """The rewards of a hand task by name: "zero-one", "binary", "sparse" and "dense"."""
    return {"zero-one": zero_one, "binary": binary, **_SHAPED[task]}
