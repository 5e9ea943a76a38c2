"""The sweep's decisions, with an executor whose processes are a script of exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

import pytest
from nppac_agents.running.interruption import Interrupted
from nppac_agents.running.lock import LockError
from nppac_agents.studies import sweep as module
from nppac_agents.studies.config import StudyConfig
from nppac_agents.studies.executor import Executor, Job, Workers
from nppac_agents.studies.study import Study
from nppac_agents.studies.sweep import Sweep
from nppac_agents.studies.view import PlainView
from nppac_priors.errors import ConfigError
from pydantic import Field

SAC = {"env": {"kind": "door"}, "agent": {"kind": "sac"}}


class ScriptedExecutor(Executor):
    """Each start of a run takes its next exit code; 0 leaves a finished run, None never ends."""

    kind: Literal["scripted"] = "scripted"
    codes: dict[str, list[Any]] = Field(default={})
    at_a_time: int = 2

    @contextlib.contextmanager
    def open(self):
        yield ScriptedWorkers(self)


class ScriptedWorkers(Workers):
    def __init__(self, config):
        self.config, self.jobs, self.started, self.most = config, [], [], 0
        LATEST.append(self)

    @property
    def places(self):
        return self.config.at_a_time

    def start(self, task):
        self.started.append(task)
        codes = self.config.codes.get(task.name, [])
        count = sum(one.name == task.name for one in self.started)
        self.jobs.append(ScriptedJob(task, codes[count - 1] if codes else 0))
        self.most = max(self.most, sum(job.poll_count < 2 for job in self.jobs))
        return self.jobs[-1]


class ScriptedJob(Job):
    def __init__(self, task, code):
        self.task, self.code, self.stops, self.poll_count = task, code, 0, 0

    def poll(self):
        self.poll_count += 1
        if self.poll_count < 2 and not self.stops:
            return None
        if isinstance(self.code, tuple):
            self.code, step = self.code
            leave_checkpoint(self.task.arguments[4], step)
        if self.code == 0:
            finish(self.task.arguments[4])
        elif self.code is not None:
            with self.task.log.open("a") as log:
                log.write(f"warning: x\nerror: problem {self.code}\n")
        return 130 if self.stops else self.code

    def stop(self):
        self.stops += 1
        if self.code is None:
            self.code = 130


LATEST: list[ScriptedWorkers] = []


def leave_checkpoint(path, step):
    folder = Path(path, "checkpoints")
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "config.json").touch()
    (folder / f"phase-0-step-{step:09d}-update-000000000.safetensors").touch()


def finish(path):
    os.makedirs(path, exist_ok=True)
    for name in ("summary.json", "report.html"):
        with open(os.path.join(path, name), "w") as file:
            file.write("{}")


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "POLL", 0.001)
    LATEST.clear()

    def make(codes=None, **fields):
        executor = ScriptedExecutor(codes=codes or {})
        fields = {"experiments": {"sac": SAC}, "seeds": "0:3", "output_dir": "s", **fields}
        return Study.of(StudyConfig(executor=executor, **fields), "s.json")

    return make


def swept(study) -> tuple[Sweep, list[str]]:
    stream = io.StringIO()
    with study.owned():
        sweep = Sweep(study, PlainView(stream))
        try:
            sweep.run()
        finally:
            lines = stream.getvalue().splitlines()
    return sweep, lines


def starts():
    return [task.name for task in LATEST[-1].started]


def test_all_runs_are_run_so_many_at_a_time(study):
    sweep, lines = swept(study())
    assert starts() == ["sac/seed0", "sac/seed1", "sac/seed2"]
    assert LATEST[-1].most == 2
    assert sweep.given_up == {}
    assert lines[0] == "3 runs, 0 of them finished already"
    assert sum("done" in line for line in lines) == 3


def test_a_run_is_started_from_its_files_alone(study):
    swept(study())
    (task, *_) = LATEST[-1].started
    file, *options = task.arguments
    assert options[:4] == ["--seed", "0", "--output-dir", "s/runs/sac/seed0"]
    assert options[4:] == ["--shared-fits", "s/fits", "--resume"]
    data = json.loads(Path(file).read_text())
    assert data["agent"]["kind"] == "sac"
    assert not {"seed", "output_dir"} & set(data)


def test_finished_runs_are_skipped(study):
    for seed, files in ((0, ("summary.json", "report.html")), (1, ("summary.json",)), (2, ())):
        run = next(run for run in study().runs if run.seed == seed)
        run.path.mkdir(parents=True)
        (run.path / "config.json").write_text(run.config.model_dump_json(by_alias=True))
        for name in files:
            (run.path / name).write_text("{}")
    _, lines = swept(study())
    assert lines[0] == "3 runs, 1 of them finished already"
    assert starts() == ["sac/seed1", "sac/seed2"]


def test_a_run_that_fails_is_tried_again_after_the_others(study):
    sweep, lines = swept(study({"sac/seed0": [1, -9, 0]}))
    assert starts() == ["sac/seed0", "sac/seed1", "sac/seed2", "sac/seed0", "sac/seed0"]
    assert sweep.given_up == {}
    assert "sac/seed0: failed, 1 of 3 times: problem 1" in lines


def test_a_run_is_given_up_after_the_stated_number_and_costs_no_other(study):
    sweep, _ = swept(study({"sac/seed1": [1, 1, 1, 0]}, failures=2))
    assert starts().count("sac/seed1") == 2
    assert sweep.given_up == {"sac/seed1": "problem 1"}
    assert study().given_up() == sweep.given_up
    assert (study().runs[2].path / "summary.json").exists()


def test_a_failure_of_a_run_that_had_gone_on_does_not_count(study):
    """Each number is a checkpoint that the try has left; the last three leave none."""
    codes = [(1, 10), (-9, 20), (1, 30), 1, -9, (1, 40), 1, 0]
    sweep, lines = swept(study({"sac/seed1": codes}, failures=3, seeds=[1]))
    assert starts().count("sac/seed1") == 7
    assert sweep.given_up == {"sac/seed1": "problem 1"}
    assert sum("ended, but had gone on" in line for line in lines) == 4
    assert sum("failed, " in line for line in lines) == 2


def test_a_checkpoint_that_is_written_again_is_no_progress(study):
    codes = [(1, 20), (1, 20), (1, 10), 0]
    sweep, _ = swept(study({"sac/seed1": codes}, failures=2, seeds=[1]))
    assert sweep.given_up == {"sac/seed1": "problem 1"}


@pytest.mark.parametrize("code", [2, 3])
def test_what_would_fail_again_is_given_up_at_once(study, code):
    sweep, _ = swept(study({"sac/seed1": [code]}))
    assert starts().count("sac/seed1") == 1
    assert sweep.given_up == {"sac/seed1": f"problem {code}"}


def test_the_next_sweep_tries_again_what_was_given_up(study):
    swept(study({"sac/seed1": [2]}))
    sweep, _ = swept(study())
    assert starts() == ["sac/seed1"]
    assert (sweep.given_up, study().given_up()) == ({}, {})


def test_a_run_that_somebody_interrupts_goes_on_without_a_failure(study):
    sweep, lines = swept(study({"sac/seed0": [130, 130, 130, 130, 0]}, failures=1))
    assert starts().count("sac/seed0") == 5
    assert sweep.given_up == {}
    assert "sac/seed0: interrupted" in lines


def test_a_signal_stops_the_runs_once_and_starts_no_more(study, monkeypatch):
    def signalled(seconds, calls=[]):  # noqa: B006
        calls.append(seconds)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(module.time, "sleep", signalled)
    with pytest.raises(Interrupted, match="the same command goes on"):
        swept(study({f"sac/seed{seed}": [None] for seed in range(3)}))
    assert starts() == ["sac/seed0", "sac/seed1"]
    assert [job.stops for job in LATEST[-1].jobs] == [1, 1]
    assert not study().lock.exists()


def test_an_error_of_the_sweep_itself_leaves_no_run_behind(study, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PlainView, "show", full)
    with pytest.raises(OSError, match="No space left"):
        swept(study({"sac/seed0": [None], "sac/seed1": [None]}))
    assert [job.stops for job in LATEST[-1].jobs] == [1, 1]


def test_two_sweeps_of_one_folder_are_refused_in_one_line(study):
    with (
        study().owned(),
        pytest.raises(LockError, match=r"^s: in use by process \d+ on ") as caught,
    ):
        swept(study())
    assert "\n" not in str(caught.value)
    assert not study().lock.exists()


def test_a_run_that_runs_elsewhere_is_waited_for(study, monkeypatch):
    """As one that a killed sweep has left behind: its process lives, and owns the directory."""
    found = study()
    path = found.runs[0].path
    path.mkdir(parents=True)
    script = (
        "import sys, time, pathlib; from nppac_agents.running.lock import RunLock\n"
        "lock = RunLock(pathlib.Path(sys.argv[1])); lock.acquire(); print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    argv = [sys.executable, "-c", script, str(path / "run.lock")]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, **pipes) as other:
        assert other.stdout
        assert other.stdin
        other.stdout.readline()
        polls = []

        def slept(seconds):
            polls.append(seconds)
            if len(polls) == 20:
                finish(path)
                other.kill()
                other.wait()
                (path / "run.lock").unlink()

        monkeypatch.setattr(module.time, "sleep", slept)
        _, lines = swept(found)
    assert "sac/seed0: runs already, in another process" in lines
    assert len(polls) >= 20
    assert starts() == ["sac/seed1", "sac/seed2"]


def test_a_folder_of_another_experiment_is_refused_before_anything_starts(study):
    swept(study())
    for run in study().runs[:2]:
        (run.path / "config.json").write_text(run.config.model_dump_json(by_alias=True))
    other = study(set={"agent.alpha": 0.9})
    with pytest.raises(ConfigError) as caught:
        other.check()
    lines = str(caught.value).splitlines()
    assert ["agent.alpha was 1.0 and is 0.9" in line for line in lines] == [True, True, False]
    assert "seed2 holds no run to resume" in lines[2]


@pytest.mark.parametrize("name", ["config.json", "notes.txt", "runs/x"])
def test_a_folder_of_something_else_is_refused(study, name):
    """Such as the directory of a run that happens to have the study's name."""
    file = Path("s", name)
    file.parent.mkdir(parents=True)
    file.touch()
    with pytest.raises(ConfigError, match=r"^output_dir: s exists and holds no study; choose"):
        study().check()


def test_a_folder_that_is_empty_or_of_a_sweep_that_was_killed_at_once_is_taken(study):
    study().check()
    Path("s").mkdir()
    study().check()
    Path("s/study.lock").touch()
    Path("s/.study.json.123.partial").touch()
    study().check()


def test_a_study_is_read_back_from_its_folder(study):
    made = study(grid={"agent.alpha": [0.1, 0.2]}, seeds=[4])
    with made.owned():
        pass
    data = json.loads((made.path / "study.json").read_text())
    data["executor"] = {"kind": "local"}
    (made.path / "study.json").write_text(json.dumps(data))
    again = Study.read(made.path)
    assert [run.name for run in again.runs] == [run.name for run in made.runs]
    assert [run.config for run in again.runs] == [run.config for run in made.runs]


@pytest.mark.medium
def test_a_lost_lock_is_told(study):
    def lose():
        with study().owned():
            study().lock.unlink()
            for _ in range(1000):
                time.sleep(0.01)

    with pytest.raises(LockError, match=r"study.lock was removed"):
        lose()
