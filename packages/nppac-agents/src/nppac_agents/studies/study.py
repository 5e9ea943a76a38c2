"""A study on the disk: its folder, its runs there, and the files from which it is continued.

```
study.json          the study with its experiments written out: a study file itself
study.lock          names the sweep that goes on, if one does
experiments/        one experiment file for each point
runs/               the run directories
logs/               what each run printed, and what asks it to stop
jobs/               files of the executor, where it has any
fits/               fitted priors that runs share
given_up.json       why runs were given up in the latest sweep
comparison/         tables and figures over all finished runs
tuning/             what `nppac-run tune` has tried, and what it found
```
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from nppac_priors.atomic_files import is_partial, write_json
from nppac_priors.errors import ConfigError, DataError

from nppac_agents.experiment.loading import load_experiment
from nppac_agents.running.interruption import interrupt_at_once, interruptible
from nppac_agents.running.lock import LockError, RunLock
from nppac_agents.running.run_directory import RunDirectory, resolved, writing
from nppac_agents.studies.config import StudyConfig
from nppac_agents.studies.executor import Task
from nppac_agents.studies.expansion import Point, StudyRun, points, runs, written_out
from nppac_agents.studies.loading import load_study


@dataclass(frozen=True)
class Study:
    """A study, expanded.

    Attributes:
        config: as loaded, with its `output_dir`.
        path: its folder.
        points: its experiments.
        runs: in the order in which they start.
    """

    config: StudyConfig
    path: Path
    points: list[Point]
    runs: list[StudyRun]

    @classmethod
    def of(cls, config: StudyConfig, name: str) -> Self:
        """Expand a study.

        Args:
            config: from `load_study`.
            name: of its file, for messages.

        Raises:
            ConfigError: a run is no valid experiment; one line for each problem.
        """
        assert config.output_dir is not None, "load_study sets it"
        path, found = Path(config.output_dir), points(config, name)
        return cls(config, path, found, runs(config, found, path / "runs"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The study whose folder this is.

        Raises:
            DataError: it is no study's folder.
            ConfigError: what is in it is no longer valid.
        """
        file = path / "study.json"
        if not file.is_file():
            raise DataError(f"{path}: holds no study.json; give the folder of a study")
        return cls.of(load_study(file, {"output_dir": str(path)}), str(file))

    @property
    def lock(self) -> Path:
        """Names the process whose sweep goes on."""
        return self.path / "study.lock"

    @property
    def comparison(self) -> Path:
        """Folder of the comparison."""
        return self.path / "comparison"

    def check(self) -> None:
        """Refuses a folder of something else, and run directories of other experiments.

        Raises:
            ConfigError: a line for each.
        """
        if self._is_foreign():
            raise ConfigError(
                f"output_dir: {self.path} exists and holds no study; choose another output_dir"
            )
        problems = []
        for run in self.runs:
            directory = RunDirectory(run.path)
            if directory.exists():
                try:
                    RunDirectory.resume(run.path, run.config)
                except ConfigError as error:
                    problems.append(str(error))
        if problems:
            raise ConfigError("\n".join(problems))

    @contextlib.contextmanager
    def owned(self) -> Iterator[None]:
        """The folder for this process alone, with the files that runs start from.

        Meanwhile SIGTERM acts as Ctrl-C does.

        Raises:
            LockError: another sweep goes on there.
            RunDirectoryError: it cannot be written.
        """
        lock = RunLock(self.lock)
        with contextlib.ExitStack() as stack:
            stack.enter_context(interruptible())
            with writing(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                lock.acquire(on_loss=interrupt_at_once)
            stack.callback(lock.release)
            with writing(self.path):
                write_json(self.path / "study.json", written_out(self.config))
                for point in self.points:
                    self.write(point)
                self.give_up({})
            try:
                yield
            except BaseException as error:
                if lock.loss:
                    raise LockError(lock.loss) from error
                raise

    def write(self, point: Point) -> None:
        """Write the experiment file that a point's runs start from.

        Raises:
            OSError: it cannot be written.
        """
        write_json(self._experiment(point), _without_place(point))

    def of_trial(self, trial: Point) -> list[StudyRun]:
        """The runs of a search's trial, one for each seed of the search."""
        assert self.config.tuning is not None
        folder = self.path / "tuning" / "runs" / trial.name
        return [StudyRun(trial, seed, folder / f"seed{seed}") for seed in self.config.tuning.seeds]

    def add_tried(self) -> None:
        """Add the runs of the trials that a search has opened to those that are known.

        Raises:
            ConfigError: the experiment of one is no longer valid.
        """
        if self.config.tuning is None:
            return
        known = {run.point.name for run in self.runs}
        for point in self.points:
            for number in self._trials(point):
                values = {**point.values, "trial": str(number)}
                trial = Point(point.experiment, values, point.config)
                if trial.name not in known:
                    config = load_experiment(self._experiment(trial))
                    self.runs.extend(self.of_trial(replace(trial, config=config)))

    def _trials(self, point: Point) -> list[int]:
        """Numbers of the trials of a point, in their order."""
        files = self._experiment(point).with_suffix("").glob("trial=*.json")
        return sorted(int(file.stem.removeprefix("trial=")) for file in files)

    def task(self, run: StudyRun) -> Task:
        """The process that starts or continues a run.

        Raises:
            OSError: its log cannot be made.
        """
        log = self.path / "logs" / f"{run.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        arguments = [
            str(self._experiment(run.point)),
            *("--seed", str(run.seed), "--output-dir", str(run.path)),
            *("--shared-fits", str(self.path / "fits")),
            "--resume",
        ]
        return Task(run.name, arguments, log, run.path, self.path)

    def give_up(self, problems: dict[str, str]) -> None:
        """Note why runs were given up, by their names.

        Raises:
            OSError: it cannot be written.
        """
        write_json(self.path / "given_up.json", problems)

    def given_up(self) -> dict[str, str]:
        """Why runs were given up in the latest sweep, by their names."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.path / "given_up.json").read_text(encoding="utf-8"))
        return {}

    def _is_foreign(self) -> bool:
        """Whether there is more than a study, an empty folder, or a start killed at once."""
        if not self.path.is_dir():
            return self.path.exists()
        names = {entry.name for entry in self.path.iterdir() if not is_partial(entry.name)}
        return "study.json" not in names and not names <= {self.lock.name}

    def _experiment(self, point: Point) -> Path:
        return self.path / "experiments" / f"{point.name}.json"


def _without_place(point: Point) -> dict[str, object]:
    return {k: v for k, v in resolved(point.config).items() if k not in ("seed", "output_dir")}
