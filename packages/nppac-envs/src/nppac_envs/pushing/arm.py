"""A Fetch robot that moves its closed hand over a table with a puck on it.

Robot, table and puck are Gymnasium-Robotics' model of its sliding task, with a rough table, on
which a puck that is pushed stops. Gymnasium-Robotics' own Fetch environments do not start under
MuJoCo 4, so the few lines that move the hand are here; they use what its environments use, a body
without mass that the hand is welded to. Lengths are in metres, world coordinates.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, final

import numpy as np
from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer
from numpy.typing import NDArray

from nppac_envs.mujoco_task import logged_warnings, mujoco

SUBSTEPS = 20
"""Simulator steps of 0.002 s in one step of the task."""
_BASE = {"robot0:slide0": 0.05, "robot0:slide1": 0.48}
_TABLE_HEIGHT = 0.4
_PUCK_HEIGHT = 0.42
_HAND_HEIGHT = 0.42
_HAND_DOWN = np.array([1.0, 0.0, 1.0, 0.0]) / np.sqrt(2.0)
_FRICTION = (0.5, 0.005, 0.0001)
_SETTLING_STEPS = 60
_FRAME = 480


def _model_file() -> str:
    """The file of the sliding task; found without importing its package, which prints."""
    spec = importlib.util.find_spec("gymnasium_robotics")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "envs" / "assets" / "fetch" / "slide.xml")


@final
class FetchArm:
    """The simulation: where hand and puck are, and how to move the hand.

    Attributes:
        model: MuJoCo's model.
        data: MuJoCo's data.
        goal: (2,) where the puck should go, on the table; drawn as a red ball.
    """

    def __init__(
        self,
        hand: NDArray[np.float64],
        puck: NDArray[np.float64],
        render_mode: str | None = None,
    ) -> None:
        """Place hand and puck and wait until the arm rests.

        Args:
            hand: (2,) where the hand starts.
            puck: (2,) where the puck starts.
            render_mode: `None` or "rgb_array".
        """
        with logged_warnings():
            self.model = mujoco.MjModel.from_xml_path(_model_file())
        self.data = mujoco.MjData(self.model)
        self.goal = puck.copy()
        self._render_mode = render_mode
        self._hand = self.model.site("robot0:grip").id
        self._target = self.model.site("target0").id
        joint = self.model.joint("object0:joint")
        self._puck_qpos, self._puck_qvel = int(joint.qposadr[0]), int(joint.dofadr[0])
        self._adapt_model()
        self._settle(hand, puck)
        self._start = self._integration_state()
        self._renderer = self._make_renderer((hand + puck) / 2)

    def _adapt_model(self) -> None:
        for geom in ("table0", "object0"):
            self.model.geom(geom).friction[:] = _FRICTION
        for finger in ("robot0:l_gripper_finger_joint", "robot0:r_gripper_finger_joint"):
            self.model.joint(finger).range[:] = (0.0, 1e-6)  # closed
        self.model.eq_data[:, :7] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)  # hand on its target
        mocap_geoms = self.model.geom_bodyid == self.model.body("robot0:mocap").id
        self.model.geom_rgba[mocap_geoms, 3] = 0.0  # crosshairs at the hand's target
        self.model.vis.global_.offwidth = self.model.vis.global_.offheight = _FRAME

    def _settle(self, hand: NDArray[np.float64], puck: NDArray[np.float64]) -> None:
        for joint, position in _BASE.items():
            self.data.joint(joint).qpos[:] = position
        self.data.joint("object0:joint").qpos[:] = (*puck, _PUCK_HEIGHT, 1.0, 0.0, 0.0, 0.0)
        mujoco.mj_forward(self.model, self.data)
        # The weld holds the link; the hand's site is where the fingers close.
        offset = self.data.site(self._hand).xpos - self.data.body("robot0:gripper_link").xpos
        self._height = _HAND_HEIGHT + float(np.linalg.norm(offset))
        self.data.mocap_quat[0] = _HAND_DOWN
        self.move_to(hand)
        for _ in range(_SETTLING_STEPS):
            self.advance()
        self.data.joint("object0:joint").qpos[:2] = puck
        self.data.qvel[:] = 0.0
        self.data.time = 0.0

    def _integration_state(self) -> NDArray[np.float64]:
        kind = mujoco.mjtState.mjSTATE_INTEGRATION
        state = np.empty(mujoco.mj_stateSize(self.model, kind))
        mujoco.mj_getState(self.model, self.data, state, kind)
        return state

    def _make_renderer(self, middle: NDArray[np.float64]) -> MujocoRenderer:
        camera = {
            "distance": 1.0,
            "azimuth": 180.0,
            "elevation": -40.0,
            "lookat": np.array([*middle, _TABLE_HEIGHT]),
        }
        return MujocoRenderer(self.model, self.data, camera, _FRAME, _FRAME)

    def restart(self, goal: NDArray[np.float64]) -> None:
        """Put hand and puck back to their starts and the goal to a new place, (2,)."""
        self.goal = goal
        floor = self.data.body("floor0").xpos
        self.model.site_pos[self._target] = np.array([*goal, _PUCK_HEIGHT]) - floor
        kind = mujoco.mjtState.mjSTATE_INTEGRATION
        mujoco.mj_setState(self.model, self.data, self._start, kind)
        mujoco.mj_forward(self.model, self.data)

    @property
    def hand_target(self) -> NDArray[np.float64]:
        """(2,) where the hand is told to go; a copy."""
        return self.data.mocap_pos[0, :2].copy()

    def move_to(self, target: NDArray[np.float64]) -> None:
        """Tell the hand where to go, (2,); its height stays."""
        self.data.mocap_pos[0] = (*target, self._height)

    def advance(self) -> None:
        """Let one step of the task pass."""
        mujoco.mj_step(self.model, self.data, nstep=SUBSTEPS)

    def positions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(2,) of the hand and (2,) of the puck."""
        start = self._puck_qpos
        return self.data.site_xpos[self._hand, :2].copy(), self.data.qpos[start : start + 2].copy()

    def velocities(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(2,) of the hand and (2,) of the puck, in m/s."""
        spatial = np.empty(6)  # rotation, then translation
        site = mujoco.mjtObj.mjOBJ_SITE
        mujoco.mj_objectVelocity(self.model, self.data, site, self._hand, spatial, 0)
        start = self._puck_qvel
        return spatial[3:5], self.data.qvel[start : start + 2].copy()

    def render(self) -> NDArray[np.uint8]:
        """One frame, (480, 480, 3), from above and in front of the robot."""
        frame: Any = self._renderer.render(self._render_mode)
        return frame

    def close(self) -> None:
        """Free the renderer."""
        self._renderer.close()
