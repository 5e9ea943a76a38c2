"""The sweep: starts the runs of a study as there is room, until all are done or given up."""

from __future__ import annotations

import contextlib
import signal
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from nppac_priors.cli.exit_code import ExitCode

from nppac_agents.running.interruption import Interrupted, Interruption
from nppac_agents.running.lock import living_owner
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.studies.executor import Job, Workers
from nppac_agents.studies.expansion import StudyRun
from nppac_agents.studies.reached import is_finished, reached
from nppac_agents.studies.run_process import FoundRun
from nppac_agents.studies.study import Study
from nppac_agents.studies.view import View

POLL = 0.2
"""Seconds between two looks at what runs."""

_HOPELESS = (ExitCode.INVALID, ExitCode.PLUGIN)
"""What another attempt would end with again."""


@dataclass
class _Started:
    """A run that was started, or found running."""

    run: StudyRun
    job: Job
    log: Path
    log_size: int
    started: float
    reached: tuple[bool, str, bool]
    is_ours: bool = True


@final
class Sweep:
    """One sweep over a study that this process owns.

    Args:
        study: its folder is owned.
        view: where progress is shown.
        steer: called again and again, to add runs and to drop some.
    """

    def __init__(
        self, study: Study, view: View, steer: Callable[[Sweep], None] = lambda sweep: None
    ) -> None:
        self._study = study
        self._view = view
        self._steer = steer
        self._dropped: set[str] = set()
        self.places = 0
        self._waiting = deque(run for run in study.runs if not is_finished(run.path))
        self._started: list[_Started] = []
        self._failures: Counter[str] = Counter()
        self._stopping = False
        self.given_up: dict[str, str] = {}

    def run(self) -> None:
        """Run what is not finished; end when nothing runs any more.

        Raises:
            Interrupted: asked to stop; the runs have written their checkpoints.
        """
        if every := len(self._study.runs):
            self._view.line(f"{every} runs, {every - len(self._waiting)} of them finished already")
        with self._study.config.executor.open() as workers, Interruption() as interruption:
            try:
                self._work(workers, interruption)
            except BaseException:
                self._stop()
                self._wait()
                raise
        if self._stopping:
            raise Interrupted("interrupted; the same command goes on with the study")

    def add(self, run: StudyRun) -> None:
        """Run it as well, unless it is finished."""
        self._study.runs.append(run)
        if not is_finished(run.path):
            self._waiting.append(run)

    def drop(self, run: StudyRun) -> None:
        """Do not run it to its end."""
        self._dropped.add(run.name)
        self._waiting = deque(one for one in self._waiting if one.name != run.name)
        for started in self._started:
            if started.run.name == run.name:
                started.job.stop()

    def say(self, text: str) -> None:
        """Show a line."""
        self._view.line(text)

    @property
    def free(self) -> int:
        """Runs for which there are places and which nobody has asked for yet."""
        return max(self.places - len(self._started) - len(self._waiting), 0)

    def _work(self, workers: Workers, interruption: Interruption) -> None:
        self.places = workers.places
        self._steer(self)
        while self._started or (self._waiting and not self._stopping):
            self._collect()
            if interruption.requested and not self._stopping:
                self._view.line(f"stopping; {len(self._started)} runs write their checkpoints")
                self._stop()
            if not self._stopping:
                self.places = workers.places
                self._steer(self)
                self._start(workers)
            self._view.show(self.given_up)
            time.sleep(POLL)

    def _wait(self) -> None:
        while self._started:
            self._collect()
            time.sleep(POLL)

    def _stop(self) -> None:
        self._stopping = True
        for started in self._started:
            started.job.stop()

    def _start(self, workers: Workers) -> None:
        while self._waiting and len(self._started) < self.places:
            run = self._waiting.popleft()
            task = self._study.task(run)
            lock = RunDirectory(run.path).lock
            size = task.log.stat().st_size if task.log.exists() else 0
            now, there = time.monotonic(), reached(run.path)
            ours = living_owner(lock) is None
            job = workers.start(task) if ours else FoundRun(lock)
            self._started.append(_Started(run, job, task.log, size, now, there, ours))
            how = "started" if ours else "runs already, in another process"
            self._view.line(f"{run.name}: {how}")

    def _collect(self) -> None:
        for started in list(self._started):
            code = started.job.poll()
            if code is not None:
                self._started.remove(started)
                self._judge(started, code)

    def _judge(self, started: _Started, code: int) -> None:
        run = started.run
        if is_finished(run.path):
            self._view.done(run, time.monotonic() - started.started)
        elif run.name in self._dropped:
            self._view.line(f"{run.name}: stopped early")
        elif self._stopping or not started.is_ours or code == ExitCode.INTERRUPTED:
            self._view.line(f"{run.name}: interrupted")
            self._waiting.appendleft(run)
        else:
            self._failed(started, code)

    def _failed(self, started: _Started, code: int) -> None:
        run, limit = started.run, self._study.config.failures
        problem = _problem(started, code)
        if code not in _HOPELESS and reached(run.path) > started.reached:
            self._view.line(f"{run.name}: ended, but had gone on, so it goes on: {problem}")
            self._waiting.append(run)
            return
        self._failures[run.name] += 1
        count = self._failures[run.name]
        if count < limit and code not in _HOPELESS:
            self._view.line(f"{run.name}: failed, {count} of {limit} times: {problem}")
            self._waiting.append(run)
            return
        self._view.line(f"{run.name}: given up: {problem}")
        self.given_up[run.name] = problem
        with contextlib.suppress(OSError):  # a full disk, which the runs tell of
            self._study.give_up(self.given_up)


def _problem(started: _Started, code: int) -> str:
    """The last error that an attempt has printed, or how its process ended."""
    with contextlib.suppress(OSError):
        text = started.log.read_bytes()[started.log_size :].decode(errors="replace")
        errors = [line for line in text.splitlines() if line.startswith("error: ")]
        if errors:
            return errors[-1].removeprefix("error: ")
    if code < 0:
        return f"ended by {signal.Signals(-code).name}; {started.log} has its output"
    return f"exit code {code}; {started.log} has its output"
