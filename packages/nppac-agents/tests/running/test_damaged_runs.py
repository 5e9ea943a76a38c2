"""Every file of a stopped run, damaged in every way: the resume ends as if nothing had happened, or
in one line that says what is wrong. `docs/run-directory.md` has the table of what happens.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
import torch
from equal_runs import assert_equal_checkpoints, timeless_events
from nppac_agents.cli import main
from nppac_agents.experiment.config import (
    EvaluationConfig,
    ExperimentConfig,
    LoggingConfig,
    TrainingConfig,
)
from nppac_agents.experiment.registries import env_registry
from nppac_agents.methods.nppac import NPPAC
from nppac_agents.metrics_file import read_metrics
from nppac_agents.reporting.frames import load_frames
from nppac_agents.running import run as run_module
from nppac_agents.running import saved_prior as module
from nppac_agents.running.checkpoint import checkpoints
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run_directory import RunDirectory, resolved
from nppac_agents.running.selection import Selection
from nppac_agents.running.training import Training
from nppac_envs import NpzConfig
from nppac_priors import load_prior
from nppac_priors.plugin_loading import Component
from nppac_priors.tensor_file import write_tensors
from safetensors import safe_open

pytestmark = pytest.mark.medium

STOPPED_AT = 72
"""Environment steps; the checkpoints are of 30 and of 60."""
LATEST, EARLIER = "checkpoints/latest", "checkpoints/earlier"
CONTINUES = (r"continuing at 60 environment steps",)
FROM_EARLIER = (r"continuing from the checkpoint before", r"continuing at 30 environment steps")
REFITTED = (r"prior.safetensors: .*; the prior is fitted again", *CONTINUES)
DERIVED = (
    "summary.json", "prior_std.json", "frames.npz", "report.html", "plots/training-online.png",
    "tensorboard/events",
)  # fmt: skip
"""Written anew by whatever ends the run; nobody reads what was there."""


class Refused(NamedTuple):
    """The run does not go on: the exit code, and what the one line says."""

    line: str
    code: int = 2


OUTCOMES: dict[tuple[str, str], tuple[str, ...] | Refused] = {
    ("config.json", "cut"): Refused(r"config.json: line \d+, column \d+: not JSON"),
    ("config.json", "flipped"): Refused(r"holds another experiment: seed was 2 and is 3"),
    ("config.json", "empty"): Refused(r"config.json: line 1, column 1: not JSON"),
    ("config.json", "foreign"): Refused(r"holds another experiment: seed was 4 and is 3"),
    ("config.json", "version"): Refused(r"config.json: unknown field 'added'"),
    ("config.json", "missing"): Refused(r"holds no run to resume"),
    ("environment.json", "cut"): (r"environment.json: damaged: .*written anew", *CONTINUES),
    ("environment.json", "flipped"): Refused(r"environment.json: is of a run with seed 2, not 3"),
    ("environment.json", "empty"): (r"environment.json: damaged: .*written anew", *CONTINUES),
    ("environment.json", "foreign"): Refused(r"environment.json: is of a run with seed 4, not 3"),
    ("environment.json", "version"): (r"damaged: no field 'run_id'; it is written", *CONTINUES),
    ("environment.json", "missing"): (r"environment.json: no such file; it is wri", *CONTINUES),
    ("metrics.jsonl", "cut"): FROM_EARLIER,
    ("metrics.jsonl", "cut at its end"): CONTINUES,
    ("metrics.jsonl", "flipped"): Refused(r"metrics.jsonl: damaged: .*no other checkpoint can be"),
    ("metrics.jsonl", "empty"): Refused(r"metrics.jsonl: damaged: its first [\d,]+ bytes are not"),
    ("metrics.jsonl", "foreign"): Refused(r"metrics.jsonl: damaged: its first [\d,]+ bytes are"),
    ("metrics.jsonl", "missing"): Refused(r"metrics.jsonl: cannot be read: No such file"),
    ("prior.safetensors", "cut"): REFITTED,
    ("prior.safetensors", "flipped"): REFITTED,
    ("prior.safetensors", "empty"): REFITTED,
    ("prior.safetensors", "foreign"): Refused(r"is not the prior that this run has fitted"),
    ("prior.safetensors", "version"): Refused(r"nppac-prior of version '9', this nppac reads '2'"),
    ("prior.safetensors", "missing"): REFITTED,
    (LATEST, "cut"): FROM_EARLIER,
    (LATEST, "flipped"): FROM_EARLIER,
    (LATEST, "empty"): FROM_EARLIER,
    (LATEST, "foreign"): Refused(r"is of a run with seed 4, not 3"),
    (LATEST, "version"): Refused(r"nppac-checkpoint of version '9', this nppac reads '2'"),
    (LATEST, "missing"): FROM_EARLIER[1:],
}  # fmt: skip
"""What a resume says while it goes on to the end of an undisturbed run, or how it refuses."""


@pytest.fixture(scope="module")
def point_is_installed(point_config):
    """The point task by its kind, as a plugin would bring it."""
    registry = env_registry()
    before = registry.components
    point = Component("point", type(point_config), "tests", "0")
    registry.components = MappingProxyType({**before, "point": point})
    yield
    registry.components = before


@pytest.fixture(scope="module")
def experiment(point_is_installed, point_config, prior_config, demonstrations, tmp_path_factory):
    """An experiment file that runs in a second, and its folder."""
    folder = tmp_path_factory.mktemp("runs")
    demonstrations.save_npz(folder / "point.npz")
    config = ExperimentConfig(
        env=point_config,
        demonstrations=NpzConfig(source="npz", path=folder / "point.npz"),
        prior=prior_config.model_copy(update={"steps": 3}),
        agent=NPPAC(
            policy_hidden=(8,),
            critic_hidden=(8,),
            batch_size=8,
            rollout_steps=0,
            critic_warmup_updates=0,
        ),
        training=TrainingConfig(
            env_steps=90, n_envs=3, start_steps=30, updates_per_step=0.5, replay_capacity=40_000
        ),
        evaluation=EvaluationConfig(every=30, episodes=2, reporting_episodes=3),
        logging=LoggingConfig(every=5, frames=1, checkpoint_every=30),
        device="cpu",
        seed=3,
        output_dir=str(folder / "{name}-{seed}"),
    )
    path = folder / "point.json"
    path.write_text(json.dumps(resolved(config)))
    return path


def ended(*argv: object) -> int:
    return main([str(argument) for argument in argv])


def stop(experiment: Path, *argv: object) -> None:
    """Runs it until a kill in the middle."""
    interact = Training._interact

    def killed(self, phase):
        if self.recorder.env_steps >= STOPPED_AT:
            raise KeyboardInterrupt
        interact(self, phase)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "_interact", killed)
        assert ended(experiment, *argv) == 130


@pytest.fixture(scope="module")
def whole(experiment) -> Path:
    """The run without any disturbance."""
    assert ended(experiment, "--output-dir", experiment.parent / "whole") == 0
    return experiment.parent / "whole"


@pytest.fixture(scope="module")
def stopped(experiment, whole) -> Path:
    """A run that was stopped, with all the files that a finished one has."""
    folder = experiment.parent / "stopped"
    stop(experiment, "--output-dir", folder)
    complete(folder, whole)
    return folder


@pytest.fixture(scope="module")
def other(experiment, whole) -> Path:
    """The same of another seed."""
    folder = experiment.parent / "other"
    stop(experiment, "--output-dir", folder, "--seed", "4")
    complete(folder, whole)
    return folder


def complete(folder: Path, whole: Path) -> None:
    for name in DERIVED[:-2]:
        shutil.copy(whole / name, folder / name)
    shutil.copytree(whole / "plots", folder / "plots")


def find(folder: Path, file: str) -> Path:
    if file in (LATEST, EARLIER):
        return checkpoints(folder / "checkpoints")[-1 if file == LATEST else -2]
    if file == "tensorboard/events":
        return next((folder / "tensorboard").iterdir())
    return folder / file


def damage(path: Path, how: str, foreign: Path) -> None:
    """Damages a file in place."""
    whole = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "foreign":
        shutil.copy(foreign, path)
    elif how == "version":
        to_another_version(path)
    else:
        contents = {
            "cut": whole[: cut(path, whole)],
            "cut at its end": whole[:-1],
            "empty": b"",
            "flipped": flipped(path, whole),
        }
        path.write_bytes(contents[how])


def cut(path: Path, whole: bytes) -> int:
    """Where a file is cut: the metrics within the evaluation of the latest checkpoint."""
    if path.name == "metrics.jsonl":
        return whole.rindex(b'"evaluation"')
    return len(whole) - 20


def flipped(path: Path, whole: bytes) -> bytes:
    """One bit of one byte, where a file still reads well if it can: the seed 3 becomes 2."""
    seed = re.search(rb'"seed": ?3', whole)
    position = seed.end() - 1 if path.suffix == ".json" and seed else len(whole) // 2
    if path.name == "metrics.jsonl":
        position = re.search(rb'"success_ever": \d', whole).end() - 1
    return whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]


def to_another_version(path: Path) -> None:
    """Writes it as another version of nppac would."""
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() | {"version": "9"}
        del metadata["checksum"]
        write_tensors(path, tensors, metadata)
        return
    data = json.loads(path.read_text())
    if path.name == "config.json":
        data["added"] = 1
    else:
        del data["run_id"]
    path.write_text(json.dumps(data))


@pytest.fixture
def resume(experiment, stopped, tmp_path, capsys) -> Callable[..., tuple[int, str, list[str]]]:
    """Resumes a damaged copy of the stopped run: exit code, output and error lines."""
    folder = tmp_path / "run"
    shutil.copytree(stopped, folder)

    def run(*argv: object) -> tuple[int, str, list[str]]:
        capsys.readouterr()
        code = ended(experiment, "--resume", "--output-dir", folder, *argv)
        captured = capsys.readouterr()
        lines = captured.err.splitlines()
        return code, captured.out, [line for line in lines if line.startswith("error: ")]

    run.folder = folder
    return run


def assert_ended_alike(one: Path, other: Path) -> None:
    """Checkpoints to the bit, metrics apart from clocks and from where the folder lies."""
    assert_equal_checkpoints(one, other)
    left, right = (
        [event for event in timeless_events(path) if event["event"] != "changes"]
        for path in (one, other)
    )
    assert left == right
    assert (one / "prior.safetensors").read_bytes() == (other / "prior.safetensors").read_bytes()


@pytest.fixture
def without_report(monkeypatch):
    """The report takes most of a small run's time."""
    monkeypatch.setattr(run_module, "_write_report", lambda *_: "none")


def quick(how: str, outcome: object = None) -> bool:
    """Of runs that go on to their end one damage is enough for daily work."""
    return isinstance(outcome, Refused) or how == "flipped"


@pytest.mark.usefixtures("without_report")
@pytest.mark.parametrize(
    ("file", "how"),
    [
        pytest.param(*cell, marks=[] if quick(cell[1], outcome) else pytest.mark.slow)
        for cell, outcome in OUTCOMES.items()
    ],
)
def test_a_damaged_file_of_a_run(file, how, resume, other, whole, monkeypatch):
    damage(find(resume.folder, file), how, find(other, file))
    monkeypatch.setattr(run_module, "describe_environment", lambda *_, **__: {"host": "another"})
    before = snapshot(resume.folder)
    code, output, errors = resume()
    expected = OUTCOMES[file, how]
    if isinstance(expected, Refused):
        assert (code, len(errors)) == (expected.code, 1), errors
        assert re.search(expected.line, errors[0]), errors[0]
        assert "unexpected" not in errors[0]
        assert snapshot(resume.folder) == before, "a refusal changes nothing"
    else:
        assert (code, errors) == (0, [])
        for said in expected:
            assert re.search(said, output), output
        assert_ended_alike(whole, resume.folder)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut", "flipped", "empty", "foreign", "missing"])
def test_what_a_run_writes_anew_may_be_damaged(how, resume, other, whole):
    for file in (*DERIVED, EARLIER):
        damage(find(resume.folder, file), how, find(other, file))
    code, output, errors = resume()
    assert (code, errors) == (0, [])
    assert re.search(CONTINUES[0], output)
    assert_ended_alike(whole, resume.folder)
    curves = [(folder / "prior_std.json").read_bytes() for folder in (whole, resume.folder)]
    assert curves[0] == curves[1]
    assert "cannot draw 'point'" in load_frames(resume.folder / "frames.npz").reason
    summaries = [json.loads((d / "summary.json").read_text()) for d in (whole, resume.folder)]
    assert summaries[0]["after"] == summaries[1]["after"]
    assert (resume.folder / "report.html").stat().st_size > 10_000


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_file_of_a_run_is_in_the_table(stopped):
    known = {file for file, _ in OUTCOMES}
    for path in (path for path in stopped.rglob("*") if path.is_file()):
        name = path.relative_to(stopped).as_posix()
        found = {name, f"{name.partition('/')[0]}/events"} & {*known, *DERIVED}
        assert found or path.parent.name in ("checkpoints", "best", "plots"), name


@pytest.mark.usefixtures("without_report")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param(how, marks=[] if quick(how) else pytest.mark.slow)
        for how in ("cut", "flipped", "empty", "foreign", "version", "missing")
    ],
)
def test_a_best_policy_that_cannot_be_read_leaves_the_last(how, resume, other, monkeypatch):
    best, foreign = (
        checkpoints(folder / "checkpoints" / "best")[0] for folder in (resume.folder, other)
    )
    damage(best, how, foreign)
    monkeypatch.setattr(Selection, "prefers", lambda *_: False)
    code, output, errors = resume()
    assert (code, errors) == (0, [])
    assert output.count("stands alone") == 1
    reported = [
        e for e in read_metrics(resume.folder / "metrics.jsonl") if e["event"] == "reporting"
    ]
    assert [event["policy"] for event in reported] == ["last"]


@pytest.mark.usefixtures("without_report")
def test_no_checkpoint_is_a_start_from_the_beginning(resume, whole):
    for path in checkpoints(resume.folder / "checkpoints"):
        path.unlink()
    code, output, errors = resume()
    assert (code, errors) == (0, [])
    assert "no checkpoint yet: starting from the beginning" in output
    assert_ended_alike(whole, resume.folder)


def test_no_intact_checkpoint_is_refused(resume):
    """Starting again would overwrite what was measured; to want that is to empty the folder."""
    for path in checkpoints(resume.folder / "checkpoints"):
        path.write_bytes(path.read_bytes()[:-1])
    before = snapshot(resume.folder)
    code, _, (line,) = resume()
    assert code == 2
    assert re.search(r"step-000000060.*: damaged.*put an intact one back, or empty .*check", line)
    assert snapshot(resume.folder) == before


@pytest.mark.parametrize("from_start", [False, True])
def test_other_demonstrations_are_refused(experiment, resume, from_start):
    if from_start:
        for path in checkpoints(resume.folder / "checkpoints"):
            path.unlink()
    else:
        (resume.folder / "environment.json").unlink()
    path = experiment.parent / "point.npz"
    demonstrations = NpzConfig(source="npz", path=path).load()
    original, before = path.read_bytes(), snapshot(resume.folder)
    try:
        demonstrations.take(4).save_npz(path)
        code, _, (line,) = resume()
    finally:
        path.write_bytes(original)
    assert code == 2
    assert re.search(rf"is of a run with demonstrations with hash {demonstrations.hash}", line)
    assert snapshot(resume.folder) == before


@pytest.mark.parametrize("file", ["environment.json", LATEST])
def test_another_run_of_the_same_experiment_is_another_run(experiment, resume, file):
    twin = experiment.parent / f"twin-{file.partition('/')[0]}"
    stop(experiment, "--output-dir", twin)
    shutil.copy(find(twin, file), find(resume.folder, file))
    code, _, (line,) = resume()
    assert code == 2
    assert re.search(
        r"is of run [0-9a-f]{32}, .*environment.json of run [0-9a-f]{32}|damaged", line
    )


@pytest.mark.usefixtures("without_report")
def test_a_prior_that_was_not_recorded_is_fitted_again(resume, other, whole):
    """A kill between the prior's file and its record; what lies there might be anybody's."""
    environment = json.loads((resume.folder / "environment.json").read_text())
    environment["prior_hash"] = None
    (resume.folder / "environment.json").write_text(json.dumps(environment))
    shutil.copy(other / "prior.safetensors", resume.folder / "prior.safetensors")
    for path in checkpoints(resume.folder / "checkpoints"):
        path.unlink()
    assert resume()[0] == 0
    assert_ended_alike(whole, resume.folder)


def test_a_run_uses_the_prior_that_its_file_keeps(tmp_path, whole):
    """Weights by columns multiply to other last bits than by rows, and a plugin may have such."""
    fitted = load_prior(whole / "prior.safetensors")
    path = tmp_path / "fresh.safetensors"
    used, recorded = module.saved_prior(
        path, None, lambda: fitted, device=torch.device("cpu"), console=PlainConsole(io.StringIO())
    )
    assert used is not fitted
    again, same = module.saved_prior(
        path, recorded, pytest.fail, device=torch.device("cpu"), console=PlainConsole(io.StringIO())
    )
    assert same == recorded
    left, right = used.state(), again.state()
    assert all(left[k].stride() == right[k].stride() for k in left)
    assert all(torch.equal(left[k], right[k]) for k in left)


def test_an_agent_that_uses_no_prior_ignores_one_that_lies_there(whole):
    found = module.saved_prior(
        RunDirectory(whole).prior,
        None,
        lambda: None,
        device=torch.device("cpu"),
        console=PlainConsole(io.StringIO()),
    )
    assert found == (None, None)
