from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import h5py
import minari
import numpy as np
import pytest
from gymnasium import spaces
from minari.data_collector import EpisodeBuffer
from nppac_envs import DataError, MinariConfig
from nppac_envs.demonstrations.doctor import examine
from nppac_envs.demonstrations.locations import locate
from pydantic import ValidationError


def recorded(number: int, steps: int, success: int) -> EpisodeBuffer:
    """An episode whose observations count up from 10 x number; flags include the reset's."""
    observations = 10.0 * number + np.arange(steps + 1.0)
    flags = np.zeros(steps + 1, bool)
    flags[success] = True
    return EpisodeBuffer(
        observations=[np.full(3, value) for value in observations],
        actions=[np.full(2, 0.1 * step, np.float32) for step in range(steps)],
        rewards=[float(flag) for flag in flags[1:]],
        terminations=[False] * (steps - 1) + [number == 1],
        truncations=[False] * (steps - 1) + [number != 1],
        infos={"success": flags},
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    minari.create_dataset_from_buffers(
        "little/set-v0",
        [recorded(0, 3, success=2), recorded(1, 2, success=2)],
        observation_space=spaces.Box(-np.inf, np.inf, (3,)),
        action_space=spaces.Box(-1.0, 1.0, (2,)),
        author="a",
        author_email="b",
        code_permalink="c",
        algorithm_name="d",
        description="e",
    )
    return tmp_path


def metadata(root: Path) -> Path:
    return root / "little" / "set-v0" / "data" / "metadata.json"


def test_episodes_flags_and_final_states(root: Path):
    loaded = MinariConfig(id="little/set-v0", root=root).load()
    assert loaded.states[:, 0].tolist() == [0, 1, 2, 10, 11]
    assert loaded.final_states[:, 0].tolist() == [3, 12]
    assert loaded.successes is not None
    assert loaded.successes.tolist() == [False, True, False, False, True]
    assert loaded.rewards is not None
    assert loaded.rewards.tolist() == [0, 1, 0, 0, 1]
    assert loaded.transitions()["terminals"].tolist() == [False] * 4 + [True]
    assert MinariConfig(id="little/set-v0", root=root).dimensions() == (3, 2)
    assert MinariConfig(id="little/set-v1", root=root).dimensions() is None


def test_the_first_numbers_of_observations_are_the_state(root: Path):
    config = MinariConfig(id="little/set-v0", root=root, state_entries=2)
    assert config.load().states[:, 1].tolist() == [0, 1, 2, 10, 11]
    assert config.load().final_states.shape == (2, 2)
    assert config.dimensions() == (2, 2)
    with pytest.raises(DataError, match="state_entries is 4, but observations have 3 numbers"):
        config.model_copy(update={"state_entries": 4}).load()


def test_the_default_root_is_minaris(root: Path):
    assert MinariConfig(id="little/set-v0", n_episodes=1).load().n_episodes == 1
    with pytest.raises(DataError, match="n_episodes is 3, but there are 2"):
        MinariConfig(id="little/set-v0", n_episodes=3).load()


def test_a_missing_set_says_where_it_was_looked_for(tmp_path: Path):
    for look in (MinariConfig.load, MinariConfig.require_files):
        with pytest.raises(DataError, match="there is no Minari set at") as caught:
            look(MinariConfig(id="no/such-v0", root=tmp_path))
        assert str(tmp_path) in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_set_that_is_there_or_to_be_fetched_is_not_missing(root: Path):
    MinariConfig(id="little/set-v0", root=root).require_files()
    MinariConfig(id="no/such-v0", download=True).require_files()


def test_a_set_cannot_run_code(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without spaces Minari would make the environment that the set names."""
    (tmp_path / "hostile_module.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    content = json.loads(metadata(root).read_text())
    spec = json.dumps({"id": "hostile-v0", "entry_point": "hostile_module:make"})
    for name in ("observation_space", "action_space"):
        changed = {key: value for key, value in content.items() if key != name}
        metadata(root).write_text(json.dumps(changed | {"env_spec": spec}))
        with pytest.raises(DataError, match=f"its {name} must be a one-dimensional Box"):
            MinariConfig(id="little/set-v0", root=root).load()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("keep", [0, 100, 2000])
def test_a_truncated_set_is_one_line(root: Path, keep: int):
    path = metadata(root).with_name("main_data.hdf5")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="cannot read") as caught:
        MinariConfig(id="little/set-v0", root=root).load()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"observation_space": "no"}'])
def test_broken_metadata_is_one_line(root: Path, content: str):
    metadata(root).write_text(content)
    with pytest.raises(DataError) as caught:
        MinariConfig(id="little/set-v0", root=root).load()
    assert "\n" not in str(caught.value)


def test_download_asks_minari(root: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr(minari, "download_dataset", asked.append)
    with pytest.raises(DataError, match="there is no Minari set"):
        MinariConfig(id="no/such-v0", download=True).load()
    MinariConfig(id="little/set-v0", download=True).load()
    assert asked == ["no/such-v0"]
    with pytest.raises(ValidationError, match="download needs root: null"):
        MinariConfig(id="little/set-v0", root=root, download=True)


def test_a_set_in_part_is_refused(root: Path):
    content = json.loads(metadata(root).read_text())
    metadata(root).write_text(json.dumps(content | {"total_steps": 6}))
    with pytest.raises(DataError, match=r"holds 2 episodes and 5 steps, .* 2 and 6; fetch"):
        MinariConfig(id="little/set-v0", root=root).load()
    assert MinariConfig(id="little/set-v0", root=root, n_episodes=1).load().n_episodes == 1


def test_d4rls_hand_sets_are_mapped(root: Path):
    """Rewards follow success, and actions are clipped; other names are left as they are."""
    (root / "D4RL" / "door").mkdir(parents=True)
    path = metadata(root).with_name("main_data.hdf5")
    with h5py.File(path, "r+") as file:
        file["episode_0/actions"][0] = 1.3
        file["episode_0/rewards"][:] = [0.5, 10.0, -3.0]
    with pytest.raises(DataError, match="outside"):
        MinariConfig(id="little/set-v0", root=root).load()
    (root / "little" / "set-v0").rename(root / "D4RL" / "door" / "human-v2")
    loaded = MinariConfig(id="D4RL/door/human-v2", root=root).load()
    assert loaded.n_clipped == 2
    assert loaded.rewards.tolist() == [0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("name", "episodes", "steps", "solved"),
    [
        ("door/human-v0", 25, 6704, 7),
        ("pen/human-v0", 25, 4975, 17),
        ("door/expert-v0", 25, 5000, 25),
        ("pen/expert-v0", 25, 5000, 23),
        ("relocate/expert-v0", 25, 5000, 25),
        ("hammer/expert-v0", 25, 5000, 25),
        ("halfcheetah/expert-v0", 15, 15000, None),
        ("walker2d/expert-v0", 15, 14092, None),
        ("ant/expert-v0", 15, 14818, None),
    ],
)
def test_the_real_sets(data: Path, name, episodes, steps, solved):
    summary = MinariConfig(id=name, root=data / "minari").load().summary()
    assert (summary["episodes"], summary["steps"]) == (episodes, steps)
    assert summary["episodes_with_success"] == solved
    assert summary["n_clipped"] == 0


def test_flags_rewards_and_door_angles_agree(data: Path):
    """Success of a step is about the state after it: the hinge at 1.35 rad or more."""
    loaded = MinariConfig(id="door/human-v0", root=data / "minari").load()
    rows = loaded.transitions()
    np.testing.assert_array_equal(rows["successes"], rows["next_states"][:, 28] >= 1.35)
    np.testing.assert_array_equal(rows["successes"], rows["rewards"] == 1.0)


def create(name: str, observations: Any, space: Any, **settings: Any) -> None:
    """A set of two episodes with two actions each, `observations(offset)` three rows."""
    low, high = settings.pop("bounds", (-1.0, 1.0))
    infos = settings.pop("infos", None)
    minari.create_dataset_from_buffers(
        name,
        [
            EpisodeBuffer(
                observations=observations(100.0 * number),
                actions=[np.full(2, low, np.float32), np.full(2, high, np.float32)],
                rewards=[0.25, 0.5],
                terminations=[False, False],
                truncations=[False, True],
                infos=infos,
            )
            for number in range(2)
        ],
        observation_space=space,
        action_space=spaces.Box(np.float32(low), np.float32(high), (2,)),
        **{key: "x" for key in ("author", "author_email", "code_permalink", "algorithm_name")},
        description="x",
    )


def box(width: int) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (width,), np.float64)


def counted(offset: float, width: int = 3) -> np.ndarray:
    return offset + np.arange(3.0)[:, None] * np.ones(width)


GOALS = spaces.Dict(
    observation=spaces.Dict(b=box(1), a=box(2)), desired_goal=box(1), achieved_goal=box(2)
)


def goals(offset: float) -> dict[str, Any]:
    return {
        "observation": {"b": counted(offset + 1, 1), "a": counted(offset + 2, 2)},
        "desired_goal": counted(offset + 3, 1),
        "achieved_goal": counted(offset + 4, 2),
    }


def test_dict_observations_are_flattened_as_gymnasium_does(root: Path):
    create("little/goal-v0", goals, GOALS)
    loaded = MinariConfig(id="little/goal-v0", root=root).load()
    first = {
        "observation": {"b": np.full(1, 101.0), "a": np.full(2, 102.0)},
        "desired_goal": np.full(1, 103.0),
        "achieved_goal": np.full(2, 104.0),
    }
    assert loaded.states[2].tolist() == spaces.flatten(GOALS, first).tolist()
    assert loaded.states[2, :3].tolist() == [101, 102, 102], "as b stands before a"
    assert loaded.final_states[0].tolist() == (loaded.states[0] + 2).tolist()


def test_keys_of_a_dict_observation_are_chosen_and_those_left_out_are_named(root: Path):
    create("little/goal-v0", goals, GOALS)
    config = locate("little/goal-v0", root=root, fields={"states": "desired_goal,observation"})
    assert config.load().states[0].tolist() == [1, 2, 2, 3]
    assert config.dimensions() == (4, 2)
    (remark,) = config.remarks()
    assert remark.text.endswith("state: achieved_goal")
    config = locate("little/goal-v0", root=root, fields={"states": "goal"})
    with pytest.raises(DataError, match=r"no 'goal' .* have 'observation', 'desired_goal'"):
        config.load()


def test_a_dict_with_an_image_is_refused(root: Path):
    space = spaces.Dict(view=spaces.Box(0, 255, (2, 2, 3), np.uint8), q=box(3))

    def seen(offset: float) -> dict[str, Any]:
        return {"view": np.zeros((3, 2, 2, 3), np.uint8), "q": counted(offset)}

    create("little/seen-v0", seen, space)
    with pytest.raises(DataError, match=r"view is Box of shape \[2, 2, 3\]"):
        MinariConfig(id="little/seen-v0", root=root).load()


@pytest.mark.parametrize("bounds", [(-0.4, 0.4), (0.0, 1.0), (-2.0, 2.0), (-10.0, 5.0)])
def test_declared_bounds_become_minus_one_and_one(root: Path, bounds: tuple[float, float]):
    """Whether their numbers lie inside [-1, 1] or not."""
    create("little/motor-v0", counted, box(3), bounds=bounds)
    config = MinariConfig(id="little/motor-v0", root=root)
    loaded = config.load()
    assert loaded.actions[:, 0].tolist() == [-1, 1, -1, 1]
    assert loaded.n_rescaled == (4 if bounds == (0.0, 1.0) else 8)
    (note,) = (f for f in examine(config) if f.topic == "declared range")
    assert f"from {bounds[0]:.4g} to {bounds[1]:.4g}" in note.text
    given = MinariConfig(id="little/motor-v0", root=root, action_range=(-20, 20)).load()
    assert given.actions[0, 0] == pytest.approx(bounds[0] / 20), "what is given counts"


def test_bounds_that_are_none_are_not_used(root: Path):
    create("little/free-v0", counted, box(3), bounds=(-1.0, 1.0))
    path = root / "little" / "free-v0" / "data" / "metadata.json"
    content = json.loads(path.read_text())
    space = json.loads(content["action_space"])
    space["low"], space["high"] = [-math.inf] * 2, [math.inf] * 2
    path.write_text(json.dumps(content | {"action_space": json.dumps(space)}))
    assert MinariConfig(id="little/free-v0", root=root).load().n_rescaled == 0


def test_success_under_its_other_usual_name_or_a_given_one(root: Path):
    flags = np.array([False, False, True])
    create("little/fetch-v0", counted, box(3), infos={"is_success": flags, "hit": ~flags})
    loaded = MinariConfig(id="little/fetch-v0", root=root).load()
    assert loaded.successes.tolist() == [False, True] * 2
    config = locate("little/fetch-v0", root=root, fields={"successes": "hit"})
    assert config.load().successes.tolist() == [True, False] * 2
    config = locate("little/fetch-v0", root=root, fields={"successes": "won"})
    with pytest.raises(DataError, match=r"no infos 'won' \(successes\); there are 'hit', 'is_suc"):
        config.load()
