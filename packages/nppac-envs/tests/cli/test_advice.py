"""Each advice of `doctor`, followed word for word: as it is printed, it ends what it was for."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nppac_envs import Demonstrations, GymnasiumConfig, NpzConfig, PenConfig
from nppac_envs.demonstrations.advice import ADVICE
from nppac_envs.demonstrations.dataset import FIELDS
from nppac_envs.demonstrations.findings import Finding
from nppac_envs.demonstrations.lerobot_writer import write_lerobot
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.policies import find_policy
from nppac_envs.demonstrations.recording import record

Arrays = dict[str, Any]
ROWS, STEPS = 240, 40
LATER = "(the command for it is here once the errors are ended)"
ARM = ["--task", "gymnasium", "--set", "id=lab_arm:LabArm-v0", "--replay"]
PEN = ["--task", "pen", "--set", "horizon=6", "--replay"]


@dataclass(frozen=True)
class Case:
    """A set that provokes a finding.

    Attributes:
        topic: Of the finding.
        option: Of the advice to follow; empty where there is nothing but words.
        make: Changes sound arrays; returns SOURCE and options that tell how to read it (nothing:
            the arrays as set.npz), and what the arrays should be afterwards.
        task: Options of `doctor` before and after.
    """

    topic: str
    option: str
    make: Callable[[Arrays], tuple[list[str], Arrays]]
    task: tuple[str, ...] = ()


CASES: list[Case] = []
SLOWER = ("forces_of_lerobot", "a_goal_of_minari", "newtons", "a_pen_of_another_simulator")


def case(topic: str, option: str, *task: str) -> Callable[[Any], Any]:
    def keep(make: Any) -> Any:
        CASES.append(Case(topic, option, make, task))
        return make

    return keep


def npz(arrays: Arrays, *options: str) -> list[str]:
    np.savez("set.npz", **arrays)
    return ["set.npz", *options]


def hdf5(**arrays: Any) -> list[str]:
    with h5py.File("set.hdf5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return ["set.hdf5"]


def csv(arrays: Arrays, **more: Any) -> list[str]:
    """The rows of all episodes, of which each one's last is its final state."""
    columns = {f"state_{i}": arrays["states"][:, i] for i in range(arrays["states"].shape[1])}
    columns |= {f"action_{i}": arrays["actions"][:, i] for i in range(2)}
    columns |= {"episode": np.repeat(np.arange(6), STEPS), **more}
    rows = np.stack(list(columns.values()), axis=1)
    np.savetxt("set.csv", rows, fmt="%.17g", delimiter=",", header=",".join(columns), comments="")
    return ["set.csv"]


def of(arrays: Arrays, episodes: list[int]) -> Arrays:
    """Some episodes of arrays by the names of `Demonstrations`."""
    whole = Demonstrations(**{name: arrays[name] for name in arrays})
    return whole.select(episodes).arrays()


def used_up(arrays: Arrays) -> Arrays:
    """Each episode's last state as its final one, where none is stored."""
    last = np.arange(ROWS) % STEPS == STEPS - 1
    steps = {name: arrays[name][~last] for name in ("states", "actions")}
    return steps | {"final_states": arrays["states"][last], "episode_lengths": [STEPS - 1] * 6}


# What keeps a set from being read.


@case("unusable episodes", "exclude")
def one_step(arrays: Arrays) -> tuple[list[str], Arrays]:
    ends = np.isin(np.arange(60), (19, 20, 39, 59))
    states, actions = arrays["states"][:60], arrays["actions"][:60]
    kept = [*range(19), *range(21, 39), *range(40, 59)]
    return hdf5(observations=states, actions=actions, timeouts=ends), {
        "states": states[kept],
        "actions": actions[kept],
        "final_states": states[[19, 39, 59]],
        "episode_lengths": [19, 18, 19],
    }


@case("unknown ends", "episode_length")
def nothing_that_ends(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Each begins elsewhere, so that the states jump there."""
    return hdf5(observations=arrays["states"], actions=arrays["actions"]), used_up(arrays)


@case("unknown ends", "episode_length")
def no_column_of_episodes(arrays: Arrays) -> tuple[list[str], Arrays]:
    rows = np.hstack([arrays["states"], arrays["actions"]])
    names = "state_0,state_1,state_2,action_0,action_1"
    np.savetxt("set.csv", rows, fmt="%.17g", delimiter=",", header=names, comments="")
    return ["set.csv"], used_up(arrays)


@case("not finite", "drop_rewards")
def rewards_at_the_first_steps(arrays: Arrays) -> tuple[list[str], Arrays]:
    rewards = np.where(np.arange(ROWS) % STEPS == 0, np.nan, 1.0)
    return npz(arrays | {"rewards": rewards}), arrays | {"rewards": None}


@case("not finite", "exclude")
def one_reading(arrays: Arrays) -> tuple[list[str], Arrays]:
    expected = of(arrays, [0, 2, 3, 4, 5])
    arrays["states"][STEPS + 5, 1] = np.inf
    return npz(arrays), expected


@case("not finite", "")
def a_sensor_that_was_off(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["states"][:, 0] = np.nan
    return npz(arrays), {}


@case("out of range", "clip")
def noise(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["actions"] *= 1.2
    return npz(arrays), arrays | {"actions": np.clip(arrays["actions"], -1, 1)}


@case("out of range", "action_range")
def degrees(arrays: Arrays) -> tuple[list[str], Arrays]:
    largest = np.abs(arrays["actions"]).max()
    expected = arrays | {"actions": arrays["actions"] / largest}
    return npz(arrays | {"actions": 90 * arrays["actions"]}), expected


@case("out of range", "")
def clipped(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["actions"] *= 1.2
    return npz(arrays, "--clip"), {}


# What only the reader of a layout sees.


def with_forces(arrays: Arrays, forces: Any) -> Arrays:
    expected = used_up(arrays | {"states": np.hstack([arrays["states"], forces])})
    return {name: expected[name] for name in ("states", "final_states", "actions")}


@case("left out", "fields")
def forces_in_npz(arrays: Arrays) -> tuple[list[str], Arrays]:
    forces = np.random.default_rng(1).normal(size=(ROWS, 2))
    stored = {name: arrays[name] for name in ("states", "actions", "episode_lengths", "successes")}
    return npz(stored | {"force": forces}), with_forces(arrays, forces)


@case("left out", "fields")
def a_force_in_csv(arrays: Arrays) -> tuple[list[str], Arrays]:
    force = np.random.default_rng(1).normal(size=(ROWS, 1))
    return csv(arrays, force=force[:, 0]), with_forces(arrays, force)


@case("left out", "fields")
def forces_in_hdf5(arrays: Arrays) -> tuple[list[str], Arrays]:
    forces = np.random.default_rng(1).normal(size=(ROWS, 2))
    file = {"observations": arrays["states"], "actions": arrays["actions"], "force": forces}
    ends = np.arange(ROWS) % STEPS == STEPS - 1
    return hdf5(timeouts=ends, **file), with_forces(arrays, forces)


@case("left out", "fields")
def forces_of_robomimic(arrays: Arrays) -> tuple[list[str], Arrays]:
    forces = np.random.default_rng(1).normal(size=(ROWS, 2))
    with h5py.File("set.hdf5", "w") as file:
        for episode in range(6):
            rows = slice(episode * STEPS, (episode + 1) * STEPS)
            demo = file.create_group(f"data/demo_{episode}")
            demo["obs/pos"], demo["obs/force"] = arrays["states"][rows], forces[rows]
            demo["actions"] = arrays["actions"][rows]
    return ["set.hdf5", "--map", "states=pos"], with_forces(arrays, forces)


@case("left out", "fields")
def forces_of_lerobot(arrays: Arrays) -> tuple[list[str], Arrays]:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    forces = np.random.default_rng(1).normal(size=(ROWS, 2))
    write_lerobot(Demonstrations(**used_up(arrays)), Path("robot"), fps=10)
    (path,) = Path("robot/data").rglob("*.parquet")
    table = parquet.read_table(path)
    forced = table.append_column("observation.force", pa.array(forces.tolist()))
    parquet.write_table(forced, path)
    return ["robot"], with_forces(arrays, forces)


@case("left out", "fields")
def a_goal_of_minari(arrays: Arrays) -> tuple[list[str], Arrays]:
    minari = pytest.importorskip("minari")
    from gymnasium import spaces
    from minari.data_collector import EpisodeBuffer

    states = np.concatenate(
        [arrays["states"].reshape(6, STEPS, 3), arrays["final_states"][:, None]], axis=1
    )
    goals = np.random.default_rng(1).normal(size=(6, STEPS + 1, 2))
    buffers = [
        EpisodeBuffer(
            observations={"observation": states[e], "goal": goals[e]},
            actions=[*arrays["actions"].reshape(6, STEPS, 2)[e].astype(np.float32)],
            rewards=[0.0] * STEPS,
            terminations=[False] * STEPS,
            truncations=[False] * (STEPS - 1) + [True],
        )
        for e in range(6)
    ]
    box = {"observation": spaces.Box(-np.inf, np.inf, (3,)), "goal": spaces.Box(-9, 9, (2,))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINARI_DATASETS_PATH", str(Path.cwd()))
        minari.create_dataset_from_buffers(
            "arm/mine-v0",
            buffers,
            observation_space=spaces.Dict(box),
            action_space=spaces.Box(-1.0, 1.0, (2,)),
            author="a",
            author_email="b",
            code_permalink="c",
            algorithm_name="d",
            description="e",
        )
    both = np.concatenate([goals, states], axis=2)  # in the space's own order
    argv = ["arm/mine-v0", "--root", ".", "--map", "states=observation"]
    return argv, {"states": both[:, :-1].reshape(-1, 5), "final_states": both[:, -1]}


@case("left out", "")
def forces_without_final_ones(arrays: Arrays) -> tuple[list[str], Arrays]:
    return npz(arrays | {"force": np.ones((ROWS, 2))}), {}


@case("left out", "")
def forces_without_next_ones(arrays: Arrays) -> tuple[list[str], Arrays]:
    states = arrays["states"]
    following = np.vstack([states[1:], states[-1:]])
    following[STEPS - 1 :: STEPS] = arrays["final_states"]
    file = {"observations": states, "next_observations": following, "force": np.ones(ROWS)}
    ends = np.arange(ROWS) % STEPS == STEPS - 1
    return hdf5(actions=arrays["actions"], timeouts=ends, **file), {}


@case("left out", "")
def images(arrays: Arrays) -> tuple[list[str], Arrays]:
    with h5py.File("set.hdf5", "w") as file:
        demo = file.create_group("data/demo_0")
        demo["obs/pos"], demo["obs/camera"] = arrays["states"], np.zeros((ROWS, 4, 4, 3))
        demo["actions"] = arrays["actions"]
    return ["set.hdf5"], {}


@case("declared range", "action_range")
def newtons(arrays: Arrays) -> tuple[list[str], Arrays]:
    pytest.importorskip("minari")
    write_minari(Demonstrations(**arrays), "arm/mine-v0", Path("sets"))
    path = Path("sets/arm/mine-v0/data/metadata.json")
    metadata = json.loads(path.read_text())
    space = json.loads(metadata["action_space"]) | {"low": [-1.0, -2.0], "high": [3.0, 2.5]}
    path.write_text(json.dumps(metadata | {"action_space": json.dumps(space)}))
    share = (arrays["actions"] - [-1.0, -2.0]) / [4.0, 4.5]
    return ["sets/arm/mine-v0"], {"actions": 2 * share - 1, "states": arrays["states"]}


@case("first download", "")
def of_minari_put_there_by_hand(arrays: Arrays) -> tuple[list[str], Arrays]:
    pytest.importorskip("minari")
    write_minari(Demonstrations(**arrays), "arm/mine-v0", Path("sets"))
    return ["arm/mine-v0", "--download"], {}


@case("mapped range", "")
def mapped_when_it_was_made(arrays: Arrays) -> tuple[list[str], Arrays]:
    return npz(arrays | {"source_range": [[-90.0, -2.0], [90.0, 2.0]]}), {}


def clock(*holes: int) -> np.ndarray:
    taken = np.full(ROWS, 0.1)
    taken[list(holes)] = 3.0
    return np.cumsum(taken)


@case("holes in time", "exclude")
def one_hole(arrays: Arrays) -> tuple[list[str], Arrays]:
    expected = of(used_up(arrays), [0, 2, 3, 4, 5])
    return csv(arrays, timestamp=clock(STEPS + 11)), expected


@case("holes in time", "cut")
def holes_everywhere(arrays: Arrays) -> tuple[list[str], Arrays]:
    """After row 10 of every episode, but for one that is left out."""
    argv = csv(arrays, timestamp=clock(*range(11, ROWS, STEPS)))
    dropped = np.isin(np.arange(ROWS) % STEPS, (10, STEPS - 1))
    kept = ~dropped & (np.arange(ROWS) // STEPS != 1)
    ends = dropped & (np.arange(ROWS) // STEPS != 1)
    return [*argv, "--exclude", "1"], {
        "states": arrays["states"][kept],
        "actions": arrays["actions"][kept],
        "final_states": arrays["states"][ends],
        "episode_lengths": [10, 28] * 5,
    }


def torn(arrays: Arrays, marked: int) -> list[str]:
    states = arrays["states"]
    following = np.vstack([states[1:], states[-1:]])
    following[np.cumsum(arrays["episode_lengths"]) - 1] = arrays["final_states"]
    file = {"observations": states, "next_observations": following, "actions": arrays["actions"]}
    return hdf5(timeouts=np.arange(ROWS) == marked, **file)


@case("episode boundaries", "episode_length")
def no_boundary_but_the_last(arrays: Arrays) -> tuple[list[str], Arrays]:
    expected = {n: arrays[n] for n in ("states", "actions", "final_states", "episode_lengths")}
    return torn(arrays, ROWS - 1), expected


@case("episode boundaries", "cut")
def boundaries_that_are_not_regular(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["episode_lengths"] = np.array([30, 50, 40, 40, 40, 40])
    argv, last = torn(arrays, 79), np.array([29, 119, 159, 199])
    finals = arrays["final_states"].copy()
    finals[[0, 2, 3, 4]] = arrays["states"][last]
    return argv, {
        "states": np.delete(arrays["states"], last, axis=0),
        "actions": np.delete(arrays["actions"], last, axis=0),
        "final_states": finals,
        "episode_lengths": [29, 50, 39, 39, 39, 40],
    }


# Actions.


@case("narrow actions", "action_range")
def percent(arrays: Arrays) -> tuple[list[str], Arrays]:
    expected = arrays["actions"] / np.abs(arrays["actions"]).max()
    return npz(arrays | {"actions": 0.3 * arrays["actions"]}), {"actions": expected}


@case("narrow actions", "action_range")
def of_one_sign_each(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Also where together they reach from -1 to 1, and with one that stands still."""
    actions = np.hstack([0.75 + arrays["actions"] / 4, np.full((ROWS, 1), 0.5)])
    actions[:, 1] *= -1
    low, high = actions.min(axis=0), actions.max(axis=0)
    low[2], high[2] = -0.5, 1.5
    expected = 2 * (actions - low) / (high - low) - 1
    return npz(arrays | {"actions": actions}), {"actions": expected}


@case("narrow dimensions", "action_range")
def a_gripper_in_metres(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Of one sign: from where it was closed most to where it was open most."""
    joint, opening = arrays["actions"].T
    low, high = opening.min(), opening.max()
    actions = np.stack([joint, 0.04 + 0.03 * opening, joint], axis=1)
    expected = np.stack([joint, 2 * (opening - low) / (high - low) - 1, joint], axis=1)
    return npz(arrays | {"actions": actions}), {"actions": expected}


@case("narrow dimensions", "action_range")
def a_gripper_in_metres_beside_joints_in_degrees(arrays: Arrays) -> tuple[list[str], Arrays]:
    sound = arrays["actions"].copy()
    joints = [90 * sound[:, 0], 90 * sound[::-1, 0]]
    actions = np.stack([*joints, 0.05 * sound[:, 1]], axis=1)
    most = np.abs(sound[:, 1]).max()
    expected = np.stack([sound[:, 0], sound[::-1, 0], sound[:, 1] / most], axis=1)
    stored = arrays | {"actions": actions}
    return npz(stored, "--action-range", "-90", "90"), {"actions": expected}


@case("saturated actions", "action_range")
def clipped_too_early(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["actions"] *= 1.4
    expected = arrays["actions"] / np.abs(arrays["actions"]).max()
    return npz(arrays, "--clip"), {"actions": expected}


@case("saturated actions", "")
def bang_bang(arrays: Arrays) -> tuple[list[str], Arrays]:
    return npz(arrays | {"actions": np.sign(arrays["actions"])}), {}


@case("dead actions", "")
def a_motor_that_was_off(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["actions"][:, 0] = 0.0
    return npz(arrays), {}


# Success.


def hand(states: int, actions: int) -> Arrays:
    """Two episodes of twenty steps of these sizes, without success."""
    rng = np.random.default_rng(0)
    return {
        "states": rng.normal(size=(40, states)),
        "actions": rng.uniform(-1, 1, (40, actions)),
        "final_states": rng.normal(size=(2, states)),
        "episode_lengths": np.array([20, 20]),
    }


def following(arrays: Arrays) -> np.ndarray:
    after = np.vstack([arrays["states"][1:], arrays["final_states"][-1:]])
    after[19] = arrays["final_states"][0]
    return after


@case("success", "judge")
def a_door(arrays: Arrays) -> tuple[list[str], Arrays]:
    door = hand(39, 28)
    return npz(door), {"successes": following(door)[:, 28] >= 1.35, "states": door["states"]}


@case("success", "judge")
def a_ball(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Its states are as long as the door's."""
    ball = hand(39, 30)
    ball["states"][::3, 36:] *= 0.01
    near = np.linalg.norm(following(ball)[:, 36:], axis=1) < 0.1
    return npz(ball), {"successes": near}


@case("success", "judge")
def a_pen(arrays: Arrays) -> tuple[list[str], Arrays]:
    pen = hand(45, 24)
    pen["states"][::3, 33:39], pen["states"][::3, 39:42] = [0, 0, 1, 0, 0, 1], 0.01
    return npz(pen), {"successes": following(pen)[:, 38] == 1}


@case("success", "")
def something_else(arrays: Arrays) -> tuple[list[str], Arrays]:
    del arrays["successes"]
    return npz(arrays), {}


@case("success", "", "--task", "hammer")
def another_task_of_the_size(arrays: Arrays) -> tuple[list[str], Arrays]:
    return npz(hand(39, 28)), {}


@case("failed episodes", "only_successful")
def two_failures(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["successes"][[2 * STEPS - 1, 4 * STEPS - 1]] = False
    return npz(arrays), of(arrays, [0, 2, 4, 5])


@case("failed episodes", "")
def nothing_but_failures(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["successes"][:] = False
    return npz(arrays), {}


@case("shifted success", "judge", "--task", "door")
def late(arrays: Arrays) -> tuple[list[str], Arrays]:
    door = hand(39, 28)
    flags = door["states"][:, 28] >= 1.35
    ruled = following(door)[:, 28] >= 1.35
    return npz(door | {"rewards": flags - 1.0}), {"successes": ruled, "rewards": ruled - 1.0}


@case("shifted success", "judge", "--task", "door")
def late_with_rewards_of_another_meaning(arrays: Arrays) -> tuple[list[str], Arrays]:
    door = hand(39, 28) | {"rewards": np.arange(40.0) % 2}
    flags = door["states"][:, 28] >= 1.35
    ruled = following(door)[:, 28] >= 1.35
    return npz(door | {"successes": flags}), {"successes": ruled, "rewards": door["rewards"]}


@case("success rule", "judge", "--task", "door")
def another_rule(arrays: Arrays) -> tuple[list[str], Arrays]:
    door = hand(39, 28)
    flags = np.arange(40) % 7 == 0
    return npz(door | {"successes": flags}), {"successes": following(door)[:, 28] >= 1.35}


# States.


@case("duplicated states", "drop_repeats")
def a_slow_sensor(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Within an episode; that one begins where the last one ended is no repetition."""
    arrays["states"][[50, 51, 52]] = arrays["states"][50]
    arrays["states"][[70, 71]] = arrays["states"][70]
    arrays["states"][80] = arrays["states"][79]
    gone = [50, 51, 70]
    kept = {n: np.delete(arrays[n], gone, axis=0) for n in ("states", "actions", "successes")}
    return npz(arrays), arrays | kept | {"episode_lengths": [40, 37, 40, 40, 40, 40]}


@case("dead states", "")
def a_constant(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["states"][:, 1] = arrays["final_states"][:, 1] = 2.0
    return npz(arrays), {}


@case("far out", "exclude")
def a_glitch(arrays: Arrays) -> tuple[list[str], Arrays]:
    expected = of(arrays, [0, 1, 3, 4, 5])
    arrays["states"][2 * STEPS + 7, 2] = 65535.0
    return npz(arrays), expected


@case("far out", "exclude")
def a_glitch_that_hides_behind_others(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Nearer than 20 ranges, as long as the last episode makes the range wide."""
    states = arrays["states"]
    states[:] = np.random.default_rng(1).uniform(-1, 1, (ROWS, 3))
    expected = of(arrays, [0, 1, 2, 3])
    states[5 * STEPS :] *= 20
    states[5 * STEPS + 3, 0] = 6e4
    states[4 * STEPS + 3, 0] = 23.5
    return npz(arrays), expected


@case("far out", "")
def a_glitch_in_the_only_episode(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["states"][7, 2] = 65535.0
    return npz(arrays | {"episode_lengths": [ROWS], "final_states": np.zeros((1, 3))}), {}


@case("spikes", "")
def impacts_in_most_episodes(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Of twice as many steps, so that they are few among them."""
    drawn = np.random.default_rng(1)
    twice = {
        name: np.concatenate([of, of])
        for name, of in arrays.items()
        if name in ("actions", "successes", "final_states", "episode_lengths")
    }
    twice["actions"] = drawn.uniform(-0.9, 0.9, twice["actions"].shape).astype(np.float32)
    states = drawn.uniform(-1, 1, (2 * ROWS, 3)).astype(np.float32)
    states[np.arange(4) * STEPS + 7, 2] = 90.0
    return npz(twice | {"states": states}), {}


@case("lost in float32", "")
def seconds_since_1970(arrays: Arrays) -> tuple[list[str], Arrays]:
    arrays["states"][:, 2] = 1.7e9 + 0.01 * np.arange(ROWS)
    return npz(arrays), {}


# Episodes.


@case("odd lengths", "exclude")
def lengths_that_are_odd_by_the_median_of_others(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Without the longest the median is 10, and 41 is over four times as much."""
    lengths = np.array([10, 41, 10, 128, 10, 41])
    arrays |= {"episode_lengths": lengths}
    arrays["successes"] = np.isin(np.arange(ROWS), np.cumsum(lengths) - 1)
    return npz(arrays), of(arrays, [0, 2, 4])


@case("duplicated episodes", "exclude")
def a_copy(arrays: Arrays) -> tuple[list[str], Arrays]:
    for name in ("states", "actions"):
        arrays[name][4 * STEPS : 5 * STEPS] = arrays[name][STEPS : 2 * STEPS]
    return npz(arrays), of(arrays, [0, 1, 2, 3, 5])


@case("jumps", "cut")
def ends_that_are_missing(arrays: Arrays) -> tuple[list[str], Arrays]:
    """The third of three has its final state; of the others the last action leads nowhere."""
    dropped = np.array([39, 79, 159, 199])
    finals = arrays["states"][[39, 79, 0, 159, 199, 0]]
    finals[[2, 5]] = arrays["final_states"][[2, 5]]
    kept = {n: np.delete(arrays[n], dropped, axis=0) for n in ("states", "actions", "successes")}
    stored = {"episode_lengths": [120, 120], "final_states": arrays["final_states"][[2, 5]]}
    terminations = {"terminations": [True, False]}
    return npz(arrays | stored | terminations), {
        **kept,
        "final_states": finals,
        "episode_lengths": [39, 39, 40, 39, 39, 40],
        "terminations": [False, False, True, False, False, False],
    }


@case("cut episodes", "join")
def pieces(arrays: Arrays) -> tuple[list[str], Arrays]:
    after = np.vstack([arrays["states"][1:], arrays["final_states"][-1:]])
    after[STEPS - 1 :: STEPS] = arrays["final_states"]
    ends = np.arange(9, ROWS, 10)
    terminated = {"terminations": [True] * 6}
    stored = {"episode_lengths": np.full(24, 10), "final_states": after[ends]}
    cut_up = {"terminations": np.isin(ends, np.arange(STEPS - 1, ROWS, STEPS))}
    return npz(arrays | stored | cut_up), arrays | terminated


# Environments.

ARM_BOUNDS = [[-3.0, 0.0], [5.0, 2.0]]


@case("other range", "action_range", *ARM[:-1])
def mapped_from_more_than_the_arm_has(arrays: Arrays) -> tuple[list[str], Arrays]:
    """From -7 to 9 and -1 to 3: twice what the arm has, about the same middle."""
    expected = arrays["actions"]
    stored = {"actions": expected / 2, "source_range": [[-7.0, -1.0], [9.0, 3.0]]}
    return npz(arrays | stored), {"actions": expected, "source_range": ARM_BOUNDS}


@case("other range", "", *ARM[:-1])
def mapped_from_ten_times_what_the_arm_has(arrays: Arrays) -> tuple[list[str], Arrays]:
    """Torques beyond the arm's, as these numbers would be, are not mapped to its own."""
    return npz(arrays | {"source_range": [[-30.0, 0.0], [50.0, 20.0]]}), {}


# Simulations.


def arm(first_seed: int, **changes: Any) -> list[str]:
    config = GymnasiumConfig(id="lab_arm:LabArm-v0")
    recorded, _ = record(config, find_policy("uniform", 2, 0), 3, first_seed=first_seed)
    return npz(recorded.arrays() | changes)


@case("start states", "first_seed", *ARM)
def later_seeds(arrays: Arrays) -> tuple[list[str], Arrays]:
    return arm(5), {}


@case("start states", "", *ARM)
def seeds_that_nobody_guesses(arrays: Arrays) -> tuple[list[str], Arrays]:
    return arm(123456), {}


@case("replay drift", "", *ARM)
def other_torques(arrays: Arrays) -> tuple[list[str], Arrays]:
    return arm(0, actions=np.full((21, 2), -0.9)), {}


@case("replay outcome", "judge", *ARM, "--first-seed", "5")
def success_that_the_simulation_has_not(arrays: Arrays) -> tuple[list[str], Arrays]:
    solved = np.tile(np.arange(7) >= 2, 3)
    return arm(5, successes=np.zeros(21, bool), rewards=np.zeros(21)), {"successes": solved}


@case("replay outcome", "", *PEN)
def a_pen_of_another_simulator(arrays: Arrays) -> tuple[list[str], Arrays]:
    recorded, _ = record(PenConfig(horizon=6), find_policy("uniform", 24, 0), 2)
    return npz(recorded.arrays() | {"successes": np.arange(12) >= 6}), {}


# All of them.


def told(out: str) -> dict[str, dict[str, str | None]]:
    """By topic the words of an advice and its command, as `doctor` prints them."""
    found: dict[str, dict[str, str | None]] = {}
    topic = words = ""
    for line in out.splitlines():
        if line.startswith(("error: ", "warning: ", "note: ")):
            topic = line[10:].partition(":")[0]
            found[topic] = {}
        elif line.startswith(" " * 10 + "-> "):
            words = line[13:].removesuffix(":")
            assert words not in found[topic], "advised twice"
            found[topic][words] = None
        elif line.startswith(" " * 13):
            found[topic][words] = line.strip()
    return found


def marked(case: Case) -> Any:
    marks = [pytest.mark.medium] if case.make.__name__ in SLOWER else []
    return pytest.param(case, marks=marks, id=case.make.__name__)


@pytest.mark.parametrize("case", [*map(marked, CASES)])
def test_an_advice_works_when_it_is_followed_word_for_word(
    nppac_demos, walks, lab_arm, case: Case, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MINARI_DATASETS_PATH", "sets")
    arrays = walks()
    argv, expected = case.make(arrays)
    printed = nppac_demos("doctor", *argv, *case.task)
    assert printed.err == []
    advice, words = told(printed.out)[case.topic], ADVICE[case.topic][case.option]
    if not case.option:
        assert advice == {words: None}
        return
    program, *command = shlex.split(advice[words] or "")
    assert program == "nppac-demos"
    followed = nppac_demos(*command)
    assert followed.code == 0, followed.err
    if command[0] == "doctor":
        assert case.topic not in told(followed.out)
        return
    output = command[command.index("--output") + 1]
    assert f"wrote {output}" in followed.out
    again = nppac_demos("doctor", output, *case.task)
    assert again.err == []
    assert case.topic not in told(again.out)
    after = NpzConfig(path=output).load()
    for name, array in expected.items():
        if array is None:
            assert getattr(after, name) is None
        else:
            wanted = np.asarray(array, FIELDS[name])
            tolerance = {"rtol": 1e-6, "atol": 1e-6} if name == "actions" else {"rtol": 0}
            np.testing.assert_allclose(getattr(after, name), wanted, **tolerance)


def test_every_advice_has_a_case():
    everything = {(topic, option) for topic, advice in ADVICE.items() for option in advice}
    assert {(case.topic, case.option) for case in CASES} == everything


def test_words_name_no_command_no_option_and_no_field_of_a_config():
    """What can be carried out is the command beside them, which the cases carry out."""
    for advice in ADVICE.values():
        for words in advice.values():
            assert not [name for name in ("nppac", "--", "_", "convert") if name in words]


def test_there_is_no_finding_without_its_words():
    with pytest.raises(KeyError, match="new"):
        Finding("note", "new", "text")
    with pytest.raises(KeyError, match="clip"):
        Finding("note", "success", "text", ({"clip": True},))
    with pytest.raises(KeyError):
        Finding("note", "jumps", "text")


def test_a_set_with_many_faults_is_repaired_by_what_is_printed_first(nppac_demos, walks):
    """Errors first, each of whose commands ends all of them; then one thing after the other."""
    arrays = walks()
    states, actions = arrays["states"][:, :2], 90 * arrays["actions"]
    ends = np.isin(np.arange(ROWS), (19, 20, *range(39, ROWS, 20)))
    states[45, 1] = np.nan
    states[130, 1] = 65535.0
    states[200:220], actions[200:220] = states[60:80], actions[60:80]
    states[105] = states[104]
    source = hdf5(observations=states, actions=actions, timeouts=ends)[0]
    followed = []
    while len(followed) < 10:
        advice = told(nppac_demos("doctor", source).out)
        commands = [(t, c) for t, steps in advice.items() for c in steps.values() if c]
        if not followed:
            assert {topic for topic, _ in commands} == {
                "unusable episodes",
                "not finite",
                "out of range",
            }, "nothing else can be done before"
            assert "far out" in advice
        if not commands:
            break
        topic, command = commands[0]
        followed.append(topic)
        result = nppac_demos(*shlex.split(command)[1:])
        assert result.code == 0, result.err
        source = shlex.split(command)[-1]
    assert followed == [
        "unusable episodes",
        "jumps",
        "duplicated episodes",
        "cut episodes",
        "duplicated states",
    ]
    after = NpzConfig(path=source).load()
    assert after.n_episodes == 6, "three of twelve went, the others are halves of six"
    assert np.abs(after.states).max() < 20
    at_bounds = (np.abs(after.actions) > 0.999).mean()
    assert 0 < at_bounds < 0.05, "degrees were mapped, not clipped"


def test_what_has_to_wait_for_an_error_says_so(nppac_demos, walks):
    """Words that speak of numbers in a command do not stand there without one."""
    arrays = walks()
    named = {"observations": arrays["states"], "actions": 0.1 * arrays["actions"]}
    advice = told(nppac_demos("doctor", *hdf5(**named)).out)
    ((words, command),) = advice["narrow actions"].items()
    assert words == f"{ADVICE['narrow actions']['action_range']} {LATER}"
    assert command is None
    (command,) = advice["unknown ends"].values()
    assert nppac_demos(*shlex.split(command)[1:]).code == 0
    later = told(nppac_demos("doctor", "set-repaired.npz").out)["narrow actions"]
    assert later[ADVICE["narrow actions"]["action_range"]] is not None


def test_what_was_said_of_the_reading_is_said_again(nppac_demos, walks):
    arrays = walks()
    names = {"obs x": arrays["states"], "act": 90 * arrays["actions"]}
    arrays["successes"] = np.isin(np.arange(ROWS), np.arange(2 * STEPS - 2, ROWS, STEPS))
    np.savez("my set.npz", **names, **{n: arrays[n] for n in ("successes", "episode_lengths")})
    argv = ["my set.npz", "--map", "states=obs x", "actions=act", "--action-range", "-90", "90"]
    argv += ["--exclude", "2", "--n-episodes", "5", "--hash", "0" * 64]
    (command,) = told(nppac_demos("doctor", *argv).out)["failed episodes"].values()
    assert command == (
        "nppac-demos convert 'my set.npz' --map 'states=obs x' actions=act --n-episodes 5 "
        "--exclude 2 --action-range -90.0 90.0 --only-successful --output 'my set-repaired.npz'"
    )
    assert nppac_demos(*shlex.split(command)[1:]).code == 0
    loaded = NpzConfig(path="my set-repaired.npz").load()
    kept = [*range(40, 79), *range(120, 159), *range(160, 199)]
    np.testing.assert_allclose(loaded.actions, arrays["actions"][kept], rtol=1e-6)


def test_nothing_that_is_there_is_written_over(nppac_demos, walks):
    """Neither by one of the commands nor by the next, which are about the same set."""
    arrays = walks()
    arrays["successes"][STEPS - 1] = False
    arrays["states"][51] = arrays["states"][50]
    argv = npz(arrays)
    Path("set-repaired-2.npz").write_text("mine")
    advice = told(nppac_demos("doctor", *argv).out)
    commands = [c for steps in advice.values() for c in steps.values() if c]
    outputs = [shlex.split(command)[-1] for command in commands]
    assert outputs == ["set-repaired.npz", "set-repaired-3.npz"]


def test_a_program_gets_the_same_advice(nppac_demos, walks):
    arrays = walks()
    arrays["successes"][STEPS - 1] = False
    argv = npz(arrays)
    (finding,) = json.loads(nppac_demos("doctor", *argv, "--json").out)
    (advice,) = finding.pop("advice")
    assert finding["topic"] == "failed episodes"
    printed = told(nppac_demos("doctor", *argv).out)["failed episodes"]
    assert printed == {advice["words"]: advice["command"]}
