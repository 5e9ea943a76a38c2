"""The directory of one run: where each of its files is, and the JSON files that describe it.

Anyone who has only these files can tell what was run, on what, and how it went. `create` starts a
run, `resume` continues one, and `RunDirectory(path)` reads one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from nppac_priors.atomic_files import write_json
from nppac_priors.errors import ConfigError, NppacError

from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.running.metrics import METRICS_FILE

_NOT_THE_METHOD = {"schema_", "seed", "output_dir", "device", "logging"}


class RunDirectoryError(NppacError):
    """A run directory that cannot be written or read."""


@final
class RunDirectory:
    """Paths in a run directory, and its JSON files, each written atomically."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: str | Path, config: ExperimentConfig) -> RunDirectory:
        """Makes the directory and writes the resolved config.

        Raises:
            ConfigError: something is there already.
            RunDirectoryError: it cannot be written.
        """
        run = cls(path)
        run.check_free()
        with run.writing():
            run.checkpoints.mkdir(parents=True)
        run._write("config.json", resolved(config))
        return run

    @classmethod
    def resume(cls, path: str | Path, config: ExperimentConfig) -> RunDirectory:
        """Opens the directory of an interrupted run, or creates it where there is none.

        Raises:
            ConfigError: it holds another experiment or another seed, or no run at all.
            RunDirectoryError: it cannot be read or written.
        """
        run = cls(path)
        if not run.exists():
            return cls.create(path, config)
        if not run.config_file.is_file():
            raise ConfigError(f"{run.path} holds no run to resume; choose another output_dir")
        stored = run.config()
        if config_hash(stored) != config_hash(config) or stored.seed != config.seed:
            fields = ", ".join(_differences(resolved(stored), resolved(config)))
            raise ConfigError(
                f"{run.path} holds another experiment: {fields}; undo the change to resume it, "
                "or choose another output_dir"
            )
        with run.writing():
            run.checkpoints.mkdir(exist_ok=True)
        return run

    def exists(self) -> bool:
        """Whether there is anything but an empty directory.

        Raises:
            RunDirectoryError: it cannot be looked into.
        """
        try:
            return self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir()))
        except OSError as error:
            raise RunDirectoryError(f"{self.path}: cannot be read: {error.strerror}") from None

    def check_free(self) -> None:
        """Refuses a path where something is.

        Raises:
            ConfigError: something is there.
        """
        if self.exists():
            raise ConfigError(
                f"output_dir: {self.path} exists; use --resume to continue it, or another "
                "output_dir"
            )

    def discard_unused(self) -> None:
        """Removes the directory of a run that failed before it fitted or measured anything.

        So a mistake can be corrected, and the run started again under the same name.
        """
        if not self.prior.exists() and not self.metrics.exists():
            shutil.rmtree(self.path, ignore_errors=True)

    def config(self) -> ExperimentConfig:
        """The experiment that this run is of.

        Raises:
            ConfigError: `config.json` is missing or no longer valid.
        """
        return load_experiment(self.config_file)

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """Writes `environment.json`: see `nppac_agents.running.environment`.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        self._write("environment.json", environment)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Writes `summary.json`.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        self._write("summary.json", summary)

    def summary(self) -> dict[str, Any] | None:
        """What `summary.json` holds; None as long as there is none.

        Raises:
            RunDirectoryError: it cannot be read.
        """
        path = self.path / "summary.json"
        try:
            return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        except (OSError, ValueError) as error:
            raise RunDirectoryError(f"{path}: cannot be read: {error}") from None

    @property
    def config_file(self) -> Path:
        """The resolved experiment."""
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        """One JSON object per event; see `nppac_agents.running.metrics`."""
        return self.path / METRICS_FILE

    @property
    def prior(self) -> Path:
        """The fitted prior; see `nppac_priors.load_prior`."""
        return self.path / "prior.safetensors"

    @property
    def checkpoints(self) -> Path:
        """Folder of what `--resume` continues from."""
        return self.path / "checkpoints"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def frames(self) -> Path:
        """Frames of one evaluation episode, for the report."""
        return self.path / "frames.npz"

    @property
    def prior_std(self) -> Path:
        """The prior's standard deviations on and off the demonstrations, for the report."""
        return self.path / "prior_std.json"

    @property
    def report(self) -> Path:
        """The page with the run's plots."""
        return self.path / "report.html"

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Turns a full disk, or a directory without permission, into a one-line error.

        Raises:
            RunDirectoryError: something inside raised an OSError.
        """
        try:
            yield
        except OSError as error:
            raise RunDirectoryError(
                f"{error.filename or self.path}: cannot be written: {error.strerror or error}"
            ) from None

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        with self.writing():
            write_json(self.path / name, data)


def resolved(config: ExperimentConfig) -> dict[str, Any]:
    """The experiment as JSON with every default written out; `$schema` is left to the source."""
    return config.model_dump(mode="json", by_alias=True, exclude={"schema_"})


def config_hash(config: ExperimentConfig) -> str:
    """What identifies a method: equal for runs that differ in nothing but seed, machine and place.

    It is the SHA-256, in hexadecimal, of the resolved experiment as JSON (sorted keys, no
    spaces), without `seed`, `output_dir`, `device`, `logging` and `$schema`.
    """
    data = config.model_dump(mode="json", by_alias=True, exclude=_NOT_THE_METHOD)
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{path} was {old!r} and is {new!r}"]
    found = []
    for key in sorted(old.keys() | new.keys()):
        if path or key not in _NOT_THE_METHOD - {"seed"}:
            inner = f"{path}.{key}" if path else key
            found += _differences(old.get(key), new.get(key), inner)
    return found
