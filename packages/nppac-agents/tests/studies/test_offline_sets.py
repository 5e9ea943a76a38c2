"""Sets like D4RL's of two short runs of hopper, whose episodes are some twenty steps."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from nppac_agents.cli.arguments import parse
from nppac_agents.running.checkpoint import Checkpoint
from nppac_agents.running.lived_episodes import lived_episodes
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.play import acting
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.studies.config import StudyConfig
from nppac_agents.studies.expansion import written_out
from nppac_agents.studies.offline_sets import FIRST_SEEDS, make_offline_sets
from nppac_agents.studies.study import Study
from nppac_envs import MinariConfig, NpzConfig
from nppac_envs.demonstrations.recording import record
from nppac_priors.errors import ConfigError, DataError
from small_runs import run_in

pytestmark = pytest.mark.medium

NAMES = [f"hopper/{name}-v0" for name in ("random", "medium", "medium-replay", "medium-expert")]
STEPS = 200
SAC = {
    "env": {"kind": "hopper", "variant": "v2"},
    "agent": {"kind": "sac", "policy_hidden": [8], "critic_hidden": [8], "batch_size": 32},
    "training": {"env_steps": 400, "n_envs": 2, "start_steps": 100},
    "evaluation": {"every": 400, "episodes": 2, "reporting_episodes": 0},
    "logging": {"tensorboard": False, "frames": 0},
    "device": "cpu",
}


def study_in(folder: Path, experiments=("medium", "expert"), **fields) -> Study:
    study = {"experiments": dict.fromkeys(experiments, SAC), "output_dir": str(folder), **fields}
    return Study.of(StudyConfig.model_validate(study), "study.json")


def finish(study: Study) -> None:
    for run in study.runs:
        RunDirectory.create(run.path, run.config)
        run_in(run.path, run.config, report=False)
        RunDirectory(run.path).report.touch()


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    """Finished."""
    study = study_in(
        tmp_path_factory.mktemp("study"),
        exceptions=[{"where": {"experiment": "expert"}, "set": {"training.env_steps": 500}}],
    )
    finish(study)
    return study


def made(study: Study, root: Path, steps: int = STEPS):
    return list(make_offline_sets(study, root, steps=steps, console=PlainConsole(io.StringIO())))


@pytest.fixture(scope="module")
def sets(study, tmp_path_factory):
    """The folder, and what was made."""
    root = tmp_path_factory.mktemp("sets")
    return root, {one.id: one for one in made(study, root)}


def test_each_reads_as_it_was_made(sets):
    root, found = sets
    assert list(found) == NAMES
    for name, one in found.items():
        metadata = json.loads((root / name / "data" / "metadata.json").read_text())
        read = MinariConfig(id=name, root=root, hash=metadata["content_hash"]).load()
        assert read.hash == one.demonstrations.hash
        assert metadata["reference_returns"] == [-20.272305, 3234.3]


def test_policies_are_played_for_as_many_steps_in_whole_episodes(study, sets):
    _, found = sets
    random, medium, _, both = (found[name].demonstrations for name in NAMES)
    for played in (random, medium):
        assert STEPS <= len(played) < STEPS + played.episode_lengths[-1]
    assert len(both) >= 2 * STEPS
    np.testing.assert_array_equal(both.states[: len(medium)], medium.states)
    expert = study.runs[1]
    act = acting(RunDirectory(expert.path), "last", seed=FIRST_SEEDS["expert"])
    first, _ = record(expert.config.env, act, 1, first_seed=FIRST_SEEDS["expert"])
    behind = slice(len(medium), len(medium) + len(first))
    np.testing.assert_array_equal(both.actions[behind], first.actions)
    assert np.abs(random.actions).mean() == pytest.approx(0.5, abs=0.05)


def test_the_replay_is_what_the_run_lived_through(study, sets):
    """Uniform actions at first; states lead to states by the actions, as in the environment."""
    _, found = sets
    replay = found[NAMES[2]].demonstrations
    assert 400 - 2 * replay.episode_lengths.max() < len(replay) <= 400
    assert replay.terminations is not None
    run = RunDirectory(study.runs[0].path)
    assert replay.hash == lived_episodes(run).hash
    ends = np.cumsum(replay.episode_lengths) - 1
    following = replay.transitions()["next_states"]
    inside = np.setdiff1d(np.arange(len(replay) - 1), ends)
    np.testing.assert_array_equal(following[inside], replay.states[inside + 1])


def test_metadata_name_the_makers_whole(study, sets):
    root, _ = sets
    metadata = json.loads((root / NAMES[3] / "data" / "metadata.json").read_text())
    medium, expert = metadata["made_by"]
    assert medium["first_seed"] == FIRST_SEEDS["medium"]
    assert expert["first_seed"] == FIRST_SEEDS["expert"]
    assert expert["experiment"]["training"]["env_steps"] == 500
    assert medium["experiment"]["agent"]["kind"] == "sac"
    assert str(study.path) not in json.dumps(metadata)


def test_one_that_is_there_is_kept_and_one_made_otherwise_refused(study, sets, tmp_path):
    _, found = sets
    root = shutil.copytree(sets[0], tmp_path / "sets")
    shutil.rmtree(root / NAMES[1])
    again = {one.id: one for one in made(study, root)}
    assert [one.made for one in again.values()] == [False, True, False, False]
    assert {k: one.demonstrations.hash for k, one in again.items()} == {
        k: one.demonstrations.hash for k, one in found.items()
    }
    with pytest.raises(DataError, match=r"random-v0: is there already, and was made otherwise"):
        made(study, root, steps=STEPS + 1)


def test_another_variant_of_the_task_does_not_take_over_its_sets(sets, tmp_path):
    """Also of `random`, which no run has made."""
    study = study_in(tmp_path / "study", set={"env": {"kind": "hopper", "variant": "v5"}})
    finish(study)
    with pytest.raises(DataError, match=r"random-v0: is there already, and was made otherwise"):
        made(study, sets[0])


def test_a_run_that_came_to_something_else_does_not_pass_for_the_one_before(study, sets, tmp_path):
    """The same experiment, trained elsewhere, has other bits."""
    root, other = shutil.copytree(sets[0], tmp_path / "sets"), tmp_path / "study"
    shutil.copytree(study.path, other)
    again = study_in(other, exceptions=[e.model_dump() for e in study.config.exceptions])
    last = max(RunDirectory(again.runs[0].path).checkpoints.glob("*.safetensors"))
    checkpoint = Checkpoint.load(last)
    name = next(name for name in checkpoint.tensors["agent"] if "policy" in name)
    checkpoint.tensors["agent"][name] += 0.01
    checkpoint.save(last.parent)
    with pytest.raises(DataError, match=r"medium-v0: is there already, and was made otherwise"):
        made(again, root)


@pytest.mark.parametrize("experiments", [("medium",), ("medium", "best"), ("sac", "expert")])
def test_another_study_is_refused(tmp_path, experiments):
    with pytest.raises(ConfigError, match="'medium' and one of 'expert', of one task; it has "):
        made(study_in(tmp_path, experiments), tmp_path)


def test_several_seeds_or_an_unfinished_run_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="it has medium/seed0, expert/seed0, medium/seed1"):
        made(study_in(tmp_path, seeds=[0, 1]), tmp_path)
    with pytest.raises(ConfigError, match="is not finished; go on with it by nppac-run sweep"):
        made(study_in(tmp_path), tmp_path)


def test_the_command_prints_a_row_a_set(study, sets, capsys):
    (study.path / "study.json").write_text(json.dumps(written_out(study.config)))
    line = ["offline-sets", str(study.path), "--output", str(sets[0]), "--steps", str(STEPS)]
    arguments = parse(line)
    assert arguments.command(arguments) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["set", "episodes", "steps", "return", "normalised", "hash"]
    assert [row.split()[:2] for row in rows[1:]] == [[name, "kept"] for name in NAMES]


def test_a_replay_without_a_whole_episode_says_why(tmp_path):
    """Too small a ring for one; a run that has made no step of its own."""
    small = {"training.replay_capacity": 20, "env.horizon": 15}
    study = study_in(tmp_path, set=small)
    finish(study)
    with pytest.raises(ConfigError, match=r"it is full, .* raise training\.replay_capacity"):
        lived_episodes(RunDirectory(study.runs[0].path))


@pytest.mark.parametrize("option", [["--policy", "best"], ["--episodes", "5"], ["--all"]])
def test_a_replay_is_not_played(study, tmp_path, option):
    line = ["record", str(study.runs[0].path), "--replay", "--output", str(tmp_path / "x.npz")]
    arguments = parse([*line, *option])
    with pytest.raises(ConfigError, match=f"^{option[0]} says how to play, and --replay plays no"):
        arguments.command(arguments)


def test_an_own_environment_gives_sets_in_its_own_units(tmp_path):
    """A cart pushed with 3 newtons at most; its sets bear its name, and remember the 3."""
    env = {"kind": "gymnasium", "id": "InvertedPendulum-v5", "kwargs": {"reset_noise_scale": 0.02}}
    study = study_in(tmp_path / "study", set={"env": {**env, "horizon": 50}})
    finish(study)
    found = made(study, tmp_path / "sets")
    assert [one.id.split("/")[0] for one in found] == ["InvertedPendulum-v5"] * 4
    for one in found:
        assert one.demonstrations.action_bounds is not None
        assert one.demonstrations.action_bounds.ravel().tolist() == [-3.0, 3.0]
        assert one.references is None


def test_a_replay_is_recorded_by_the_command(study, sets, tmp_path, capsys):
    line = ["record", str(study.runs[0].path), "--replay", "--output", str(tmp_path / "lived.npz")]
    arguments = parse(line)
    assert arguments.command(arguments) == 0
    replay = sets[1][NAMES[2]].demonstrations
    assert NpzConfig(path=tmp_path / "lived.npz").load().hash == replay.hash
    assert f"{replay.n_episodes} episodes, {len(replay)} steps" in capsys.readouterr().out
