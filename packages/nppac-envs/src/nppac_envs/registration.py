"""Registers the environments with Gymnasium under the namespace `nppac`.

Runs on `import nppac_envs`. The entry points are names: the simulator is imported by the first
`gymnasium.make`.
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

_ADROIT = "nppac_envs.adroit.task:AdroitTask"
_LOCOMOTION = "nppac_envs.locomotion.task:LocomotionTask"
_TASKS = (
    ("nppac/Door-v0", _ADROIT, 200, {"task": "door"}),
    ("nppac/Pen-v0", _ADROIT, 100, {"task": "pen"}),
    ("nppac/Hammer-v0", _ADROIT, 200, {"task": "hammer"}),
    ("nppac/Relocate-v0", _ADROIT, 200, {"task": "relocate"}),
    ("nppac/HalfCheetah-v0", _LOCOMOTION, 1000, {"robot": "halfcheetah"}),
    ("nppac/Walker2d-v0", _LOCOMOTION, 1000, {"robot": "walker2d"}),
    ("nppac/Ant-v0", _LOCOMOTION, 1000, {"robot": "ant"}),
    ("nppac/Hopper-v0", _LOCOMOTION, 1000, {"robot": "hopper"}),
    ("nppac/Push-v0", "nppac_envs.pushing.task:PushTask", 50, {}),
)


def register_environments() -> None:
    """Register every task of this package; a second call changes nothing."""
    for gymnasium_id, entry_point, horizon, settings in _TASKS:
        if gymnasium_id not in registry:
            register(
                id=gymnasium_id,
                entry_point=entry_point,
                max_episode_steps=horizon,
                kwargs=settings,
            )
