from __future__ import annotations

import json

from nppac_envs import DoorConfig, GymnasiumConfig
from nppac_envs.foreign.description import described, in_one_line


def test_a_description_has_the_place_and_the_bounds(lab_arm):
    config = GymnasiumConfig(id="lab_arm:LabArm-v0")
    found = described(config)
    assert found == config.details() == json.loads(json.dumps(found))
    assert found["class"] == "lab_arm.Arm"
    assert found["file"] == lab_arm.__file__
    assert found["action_bounds"] == [[-3.0, 0.0], [5.0, 2.0]]
    assert found["observation_keys"] is None
    assert in_one_line(found) == (
        f"imports lab_arm.Arm from {lab_arm.__file__}; "
        "actions -1 and 1 stand for (-3, 0) and (5, 2)"
    )


def test_a_task_of_this_package_has_nothing_to_tell():
    assert DoorConfig().details() is None
