from __future__ import annotations

import numpy as np
import pytest
from nppac_envs import DataError, Demonstrations, MinariConfig
from nppac_envs.demonstrations.success_rules import rule_successes


def states(dim: int, **entries: list[float]) -> np.ndarray:
    """Rows of zeros with columns set: `c28=[...]` is column 28."""
    rows = np.zeros((len(next(iter(entries.values()))), dim), np.float32)
    for name, values in entries.items():
        rows[:, int(name[1:])] = values
    return rows


def test_door_opens_at_its_angle():
    rows = states(39, c28=[1.349, 1.35, 1.5])
    assert rule_successes("door", rows, "here").tolist() == [False, True, True]


def test_pen_has_to_be_near_and_aligned():
    rows = states(45, c33=[1, 0.94, 1, 0.96], c36=[1, 1, 1, 1], c40=[0.074, 0, 0.076, 0])
    assert rule_successes("pen", rows, "here").tolist() == [True, False, False, True]


def test_ball_has_to_be_near():
    rows = states(39, c36=[0.06, 0.06], c38=[0.0799, 0.0801])
    assert rule_successes("relocate", rows, "here").tolist() == [True, False]


@pytest.mark.parametrize(
    ("task", "message"),
    [("hammer", "no rule.*'door', 'pen'"), (None, "task None"), ("pen", "39 .* 'pen' have 45")],
)
def test_a_rule_that_cannot_be_applied_is_one_line(task: str | None, message: str):
    with pytest.raises(DataError, match=message) as caught:
        rule_successes(task, np.zeros((2, 39), np.float32), "here")
    assert "\n" not in str(caught.value)


def with_rewards(rewards: list[float], make_arrays) -> Demonstrations:
    arrays = make_arrays(lengths=(len(rewards),)) | {"rewards": np.array(rewards, np.float32)}
    del arrays["successes"]
    return Demonstrations(**arrays)


@pytest.mark.parametrize(
    ("rewards", "flags"),
    [
        ([0, 1, 0], [False, True, False]),
        ([-1, 0, -1], [False, True, False]),
        ([-0.1, 10, -0.1], [False, True, False]),
        ([1, 1], [True, True]),
        ([-1, -1], [False, False]),
        ([0, 0], None),
        ([0, 0.5], None),
        ([-1, 0, 1], None),
    ],
)
def test_rewards_of_two_values_stand_for_flags(rewards, flags, make_arrays):
    found = with_rewards(rewards, make_arrays).recorded_successes
    assert (None if found is None else found.tolist()) == flags


def test_relabelled_rewards_follow_the_flags(make_arrays):
    demos = Demonstrations(**make_arrays())
    assert demos.successes is not None
    for reward, on_failure, on_success in (("zero-one", 0.0, 1.0), ("binary", -1.0, 0.0)):
        rows = demos.relabelled(reward, task="door").transitions()
        expected = [on_success if flag else on_failure for flag in demos.successes]
        assert rows["rewards"].tolist() == expected
        np.testing.assert_array_equal(rows["successes"], demos.successes)
    assert demos.rewards is not None, "the set itself is left alone"
    np.testing.assert_array_equal(demos.rewards, make_arrays()["rewards"])


def test_without_a_record_the_tasks_rule_decides():
    """Success of a step is about the state after it: the final state counts for the last one."""
    demos = Demonstrations(
        states(39, c28=[1.4, 0.0, 1.36]), np.zeros((3, 28)), states(39, c28=[1.2]), np.array([3])
    )
    assert demos.relabelled("binary", task="door").transitions()["rewards"].tolist() == [-1, 0, -1]
    with pytest.raises(DataError, match="name the task") as caught:
        demos.relabelled()
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="no rule"):
        demos.relabelled(task="halfcheetah")


def test_judged_replaces_what_was_recorded():
    demos = Demonstrations(
        states(39, c28=[0.0, 1.36]),
        np.zeros((2, 28)),
        states(39, c28=[0.0]),
        np.array([2]),
        successes=np.array([False, True]),
    )
    assert demos.judged("door").successes.tolist() == [True, False]


@pytest.mark.parametrize("name", ["door", "pen", "relocate"])
def test_rules_agree_with_the_simulators_flags(data, name: str):
    demos = MinariConfig(id=f"{name}/expert-v0", root=data / "minari").load()
    np.testing.assert_array_equal(demos.judged(name).successes, demos.successes)


def test_the_pen_sets_rewards_and_observations_disagree(data):
    """17 episodes by the rewards that AWAC recorded, all 25 by the observations beside them."""
    demos = MinariConfig(id="pen/human-v0", root=data / "minari").load()
    assert demos.summary()["episodes_with_success"] == 17
    assert demos.judged("pen").summary()["episodes_with_success"] == 25
