"""Registers the environments with Gymnasium under the namespace `nppac`.

Runs on `import nppac_envs`. The entry points are names: the simulator is imported by the first
`gymnasium.make`.
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

_TASKS = (("nppac/Door-v0", "door", 200), ("nppac/Pen-v0", "pen", 100))


def register_environments() -> None:
    """Register `nppac/Door-v0` and `nppac/Pen-v0`; a second call changes nothing."""
    for gymnasium_id, task, horizon in _TASKS:
        if gymnasium_id not in registry:
            register(
                id=gymnasium_id,
                entry_point="nppac_envs.adroit.task:AdroitTask",
                max_episode_steps=horizon,
                kwargs={"task": task},
            )
