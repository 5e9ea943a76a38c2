"""The human sets of Minari's server: files of their layout, fetched, converted, checked, held to.

The server's files were not at hand. What stands in for it here writes the layout of its hand sets:
an observation more than actions in each episode, dense rewards, actions beyond [-1, 1], and infos
of every observation, a flag of success and the simulator's state among them.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import minari
import numpy as np
import pytest
from gymnasium.spaces import Box
from minari.data_collector import EpisodeBuffer
from minari.dataset.minari_storage import MinariStorage
from nppac_envs import DataError, MinariConfig
from nppac_envs.cli import main
from nppac_envs.demonstrations.fetching import prepare
from nppac_envs.demonstrations.findings import Finding
from nppac_envs.demonstrations.first_download import RECORD
from nppac_envs.demonstrations.legacy import read_legacy
from nppac_envs.demonstrations.minari_server import ROOT_VARIABLE, _datasets_in
from nppac_envs.demonstrations.numeric_pickle import load_numeric_pickle
from nppac_envs.demonstrations.public_sets import PUBLIC_SETS

IDS = ("D4RL/door/human-v2", "D4RL/pen/human-v2")
HUMAN = ("door-human", "pen-human", "hammer-human", "relocate-human")


def write_layout(
    folder: Path, id: str, observations: list[np.ndarray], actions: list[np.ndarray]
) -> None:
    """Episodes (T + 1, S) and (T, A) as a hand set of the server; half of each succeeds."""
    folder.mkdir(parents=True)
    width, controls = observations[0].shape[1], actions[0].shape[1]
    storage = MinariStorage.new(
        folder,
        observation_space=Box(-np.inf, np.inf, (width,), np.float64),
        action_space=Box(-1.0, 1.0, (controls,), np.float32),
        data_format="hdf5",
    )
    buffers = []
    for number, (states, controls_of) in enumerate(zip(observations, actions, strict=True)):
        steps = len(controls_of)
        ended = np.arange(steps) == steps - 1
        infos = {
            "success": np.arange(steps + 1) > steps // 2,
            "state": {"qpos": states[:, :3], "qvel": np.zeros((steps + 1, 3))},
        }
        buffers.append(
            EpisodeBuffer(
                id=number,
                observations=list(states),
                actions=list(controls_of),
                rewards=list(-0.1 * np.arange(steps)),
                terminations=[False] * steps,
                truncations=ended.tolist(),
                infos=infos,
            )
        )
    storage.update_episodes(buffers)
    storage.update_metadata({"dataset_id": id, "minari_version": minari.__version__})


@pytest.fixture
def serve(tmp_path: Path, monkeypatch) -> Callable[..., None]:
    """Makes Minari's server one that has these episodes of a set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "sets"))

    def serve(*episodes: Any) -> None:
        def download(id: str) -> None:
            root = Path(os.environ["MINARI_DATASETS_PATH"])
            write_layout(root / id / "data", id, *episodes)

        monkeypatch.setattr(minari, "download_dataset", download)

    return serve


def made_up(name: str, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Episodes of a set's sizes, whose steps are as many as are written down."""
    public, rng = PUBLIC_SETS[name], np.random.default_rng(seed)
    assert public.steps is not None
    parts = np.array_split(np.arange(public.steps), public.episodes)
    states, controls = public.dimensions
    return (
        [rng.normal(size=(len(part) + 1, states)) for part in parts],
        [rng.normal(0, 0.6, (len(part), controls)).astype(np.float32) for part in parts],
    )


@pytest.mark.medium
@pytest.mark.parametrize("name", HUMAN)
def test_a_file_of_their_layout_is_converted_and_checked(name: str, serve):
    observations, actions = made_up(name)
    serve(observations, actions)
    prepared = prepare(name)
    np.testing.assert_array_equal(
        prepared.states, np.concatenate([of[:-1] for of in observations]).astype(np.float32)
    )
    np.testing.assert_array_equal(
        prepared.final_states, np.stack([of[-1] for of in observations]).astype(np.float32)
    )
    raw = np.concatenate(actions)
    np.testing.assert_array_equal(prepared.actions, np.clip(raw, -1, 1))
    assert prepared.n_clipped == (np.abs(raw) > 1).sum() > 0
    solved = np.concatenate([np.arange(1, len(of) + 1) > len(of) // 2 for of in actions])
    np.testing.assert_array_equal(prepared.successes, solved)
    np.testing.assert_array_equal(prepared.rewards, solved.astype(np.float32))


@pytest.mark.medium
def test_a_set_that_arrives_in_part_is_refused(serve):
    observations, actions = made_up("door-human")
    serve(observations[:24], actions[:24])
    with pytest.raises(DataError, match="has episodes 24 after its conversion, and 25 were"):
        prepare("door-human")
    serve([*observations[:24], observations[24][:-1]], [*actions[:24], actions[24][:-1]])
    shutil.rmtree("sets")
    with pytest.raises(DataError, match="has steps 6728 after its conversion, and 6729 were"):
        prepare("door-human")


@pytest.mark.medium
def test_what_arrived_first_is_what_a_set_is_held_to(serve, tmp_path: Path):
    """In the command and in a run, which reads the set by its id."""
    config = MinariConfig(id="D4RL/door/human-v2", download=True)
    serve(*made_up("door-human"))
    assert main(["fetch", "door-human"]) == 0
    first = config.load().hash
    record = tmp_path / "sets" / config.id / RECORD
    assert set(json.loads(record.read_text())) == {"main_data.hdf5", "metadata.json"}
    shutil.rmtree(record.parent / "data")
    assert config.load().hash == first, "the same files again are the same set"
    shutil.rmtree(record.parent / "data")
    serve(*made_up("door-human", seed=1))
    for _ in range(2):
        with pytest.raises(DataError, match=r"main_data\.hdf5 in .* changed since the first"):
            config.load()
    (tmp_path / "door-human.npz").unlink()
    assert main(["fetch", "door-human"]) == 2
    record.unlink()
    told: list[Finding] = []
    assert config.load(told.append).hash != first
    assert [finding.topic for finding in told] == ["first download"]
    told.clear()
    config.load(told.append)
    assert not told, "it is written down by now"
    assert record.is_file(), "what is there then is what the set is held to"
    for wrong in ("{}", "[]", "{", '{"main_data.hdf5": 1, "metadata.json": null}'):
        record.write_text(wrong)
        with pytest.raises(DataError, match=r"first-download\.json does not say .* remove it, and"):
            config.load()


@pytest.mark.medium
def test_of_two_who_fetch_a_set_at_once_both_read_what_came_first(serve, tmp_path: Path):
    """The second one arrives while the first is still fetching, and is done before it."""
    config, others = MinariConfig(id="D4RL/door/human-v2", download=True), []
    serve(*made_up("door-human"))
    first = minari.download_dataset

    def slow(id: str) -> None:
        minari.download_dataset = first
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "sets"))
            others.append(config.load().hash)
        serve(*made_up("door-human", seed=1))
        minari.download_dataset(id)

    minari.download_dataset = slow
    assert [config.load().hash] == others
    assert [path.name for path in (tmp_path / "sets").iterdir()] == ["D4RL"]


def test_minaris_folder_is_anothers_for_one_fetch_at_a_time(monkeypatch):
    """It is a variable of the whole process."""
    monkeypatch.setenv(ROOT_VARIABLE, "before")
    seen: list[str] = []

    def other() -> None:
        with _datasets_in("other"):
            seen.append(os.environ[ROOT_VARIABLE])

    with _datasets_in("own"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        assert (os.environ[ROOT_VARIABLE], seen) == ("own", [])
    thread.join()
    assert (os.environ[ROOT_VARIABLE], seen) == ("before", ["other"])


@pytest.mark.medium
def test_threads_that_fetch_two_sets_at_once_have_both(serve, tmp_path: Path):
    """The second one begins while the first is fetching, and neither takes the other's folder."""
    serve(*made_up("door-human"))
    first, began = minari.download_dataset, threading.Event()

    def slow(id: str) -> None:
        began.set()
        time.sleep(0.3)
        first(id)

    minari.download_dataset = slow
    hashes: list[str] = []

    def load(id: str) -> None:
        hashes.append(MinariConfig(id=id, download=True).load().hash)

    threads = [threading.Thread(target=load, args=(id,)) for id in IDS]
    threads[0].start()
    began.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert len(hashes) == 2
    assert hashes[0] == hashes[1], "the server has one content for both names here"
    assert [path.name for path in (tmp_path / "sets").iterdir()] == ["D4RL"]


@pytest.mark.medium
@pytest.mark.parametrize(
    "wrong", [{"state_entries": 1_000}, {"fields": {"successes": "solved"}}], ids=str
)
def test_what_arrives_for_settings_that_do_not_fit_it_is_remembered_too(
    serve, tmp_path: Path, wrong: dict[str, Any]
):
    serve(*made_up("door-human"))
    right = {"id": "D4RL/door/human-v2", "download": True}
    with pytest.raises(DataError):
        MinariConfig.model_validate(right | wrong).load()
    assert (tmp_path / "sets" / right["id"] / RECORD).is_file()
    MinariConfig.model_validate(right).load()


@pytest.mark.medium
def test_a_space_that_was_changed_by_hand_is_noticed(serve, tmp_path: Path):
    config = MinariConfig(id="D4RL/door/human-v2", download=True)
    serve(*made_up("door-human"))
    config.load()
    metadata = tmp_path / "sets" / config.id / "data" / "metadata.json"
    metadata.write_text(metadata.read_text().replace("-1.0", "-2.0"))
    with pytest.raises(DataError, match=r"metadata\.json in .* changed since") as caught:
        config.load()
    assert "main_data" not in str(caught.value).partition(" changed")[0]


@pytest.mark.medium
def test_the_doors_own_numbers_come_out_as_those_of_the_release(data: Path, serve):
    """All steps of the release, as the server's set has them: one more in each episode."""
    demos: Any = read_legacy(data / "raw" / "door-v0_demos.pickle", load_numeric_pickle, "raw")[0]
    states = [demo["observations"].values for demo in demos]
    serve(
        [np.vstack([of, of[-1:]]) for of in states],
        [demo["actions"].values.astype(np.float32) for demo in demos],
    )
    prepared = prepare("door-human")
    ours = MinariConfig(id="door/human-v0", root=data / "minari").load()
    last = np.cumsum(prepared.episode_lengths) - 1
    assert [len(prepared), len(ours)] == [6729, 6704]
    for name in ("states", "actions"):
        without_last = np.delete(getattr(prepared, name), last, axis=0)
        np.testing.assert_array_equal(without_last, getattr(ours, name))
    np.testing.assert_array_equal(prepared.states[last], ours.final_states)
