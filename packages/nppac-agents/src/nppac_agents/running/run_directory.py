"""The directory of one run: where each of its files is, and the JSON files that describe it.

Anyone who has only these files can tell what was run, on what, and how it went. `create` starts a
run, `resume` continues one, and `RunDirectory(path)` reads one. A run that writes owns its
directory first: see `nppac_agents.running.ownership`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from nppac_priors.atomic_files import is_partial, remove_partials, write_json
from nppac_priors.errors import ConfigError, NppacError
from nppac_priors.user_files import existing_file, user_path

from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.metrics_file import METRICS_FILE
from nppac_agents.running.process import start_of

_NOT_THE_METHOD = {"schema_", "comment", "seed", "output_dir", "device", "logging"}
_MAY_CHANGE = {
    "output_dir",
    "device",
    "logging",
    "evaluation.every",
    "evaluation.episodes",
    "evaluation.first_seed",
    "evaluation.reporting_episodes",
    "training.env_steps",
}
"""Fields that nothing depends on that was learned or chosen so far; a resume may change them"""


class RunDirectoryError(NppacError):
    """A run directory that cannot be written or read."""


@final
class RunDirectory:
    """Paths in a run directory, and its JSON files, each written atomically.

    Attributes:
        path: the directory.
        changes: what a resume changes, old and new value by field; see `write_config`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = user_path(path)
        self.changes: dict[str, tuple[Any, Any]] = {}

    @classmethod
    def create(cls, path: str | Path, config: ExperimentConfig) -> RunDirectory:
        """Make the directory and write the resolved config.

        Raises:
            ConfigError: something is there already.
            RunDirectoryError: it cannot be written.
        """
        run = cls(path)
        run.check_free()
        with run.writing():
            run.checkpoints.mkdir(parents=True, exist_ok=True)
        run.write_config(config)
        return run

    @classmethod
    def resume(cls, path: str | Path, config: ExperimentConfig) -> RunDirectory:
        """Open the directory of an interrupted run, or create it where there is none.

        Raises:
            ConfigError: it holds another experiment or another seed, or no run at all.
            RunDirectoryError: it cannot be read or written.
        """
        run = cls(path)
        run.check_resumable()
        if not run.exists():
            return cls.create(path, config)
        differences = _differences(resolved(run.config()), resolved(config))
        run.changes = {k: v for k, v in differences.items() if _may_change(k)}
        if other := in_words({k: v for k, v in differences.items() if k not in run.changes}):
            raise ConfigError(
                f"{run.path} holds another experiment: {', '.join(other)}; undo the change to "
                "resume it, or choose another output_dir"
            )
        with run.writing():
            run.checkpoints.mkdir(exist_ok=True)
        return run

    def exists(self) -> bool:
        """Whether there is more than an empty directory, or than a start killed at once leaves.

        Raises:
            RunDirectoryError: it cannot be looked into.
        """
        try:
            if not self.path.is_dir():
                return self.path.exists()
            return any(not self._is_remnant(entry) for entry in self.path.iterdir())
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

    def check_resumable(self) -> None:
        """Refuses a path where something else than a run is.

        Raises:
            ConfigError: something else is there, or a pipe or a device among its files, which
                would be waited for.
        """
        if self.exists() and not self.config_file.is_file():
            raise ConfigError(f"{self.path} holds no run to resume; choose another output_dir")
        for entry in (*self.path.glob("*"), *self.checkpoints.glob("*")):
            if entry.exists() and not (entry.is_file() or entry.is_dir()):
                raise ConfigError(f"{entry}: is no regular file; remove it to resume the run")

    @property
    def is_unused(self) -> bool:
        """Whether the run has not fitted, measured or saved anything."""
        kept = (self.prior, self.metrics, *self.checkpoints.glob("*"))
        return not any(path.exists() for path in kept)

    def discard(self) -> None:
        """Remove what `create` and `write_environment` wrote, and nothing else.

        So a mistake can be corrected, and the run started again under the same name.
        """
        for path in (self.config_file, self.environment):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.checkpoints.rmdir()

    def remove_partials(self) -> None:
        """Remove the files that processes which no longer run were killed over.

        Raises:
            RunDirectoryError: one cannot be removed.
        """
        with self.writing():
            for folder in (self.path, self.checkpoints, self.path / "plots"):
                remove_partials(folder, lambda pid: start_of(pid) is not None)

    def config(self) -> ExperimentConfig:
        """The experiment that this run is of.

        Raises:
            ConfigError: `config.json` is missing or no longer valid.
        """
        return load_experiment(self.config_file)

    def write_config(self, config: ExperimentConfig) -> None:
        """Write `config.json`; on a resume, once the run goes on with what changed.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        self._write(self.config_file, resolved(config))

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """Write `environment.json`: see `nppac_agents.running.provenance`.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        self._write(self.environment, environment)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json`.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        self._write(self.path / "summary.json", summary)

    def summary(self) -> dict[str, Any] | None:
        """What `summary.json` holds; None as long as there is none.

        Raises:
            RunDirectoryError: it cannot be read.
        """
        path = self.path / "summary.json"
        if not path.exists():
            return None
        existing_file(path, RunDirectoryError)
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunDirectoryError(f"{path}: cannot be read: {error}") from None

    @property
    def config_file(self) -> Path:
        """The resolved experiment."""
        return self.path / "config.json"

    @property
    def lock(self) -> Path:
        """Names the process that owns the directory; see `nppac_agents.running.lock`."""
        return self.path / "run.lock"

    @property
    def environment(self) -> Path:
        """What the run depends on beside its config."""
        return self.path / "environment.json"

    @property
    def metrics(self) -> Path:
        """One JSON object per event; see `nppac_agents.metrics_file`."""
        return self.path / METRICS_FILE

    @property
    def prior(self) -> Path:
        """The fitted prior; see `nppac_priors.load_prior`."""
        return self.path / "prior.safetensors"

    @property
    def prior_factors(self) -> Path:
        """The prior with its large factors, where a policy has needed them; see `kept_factors`."""
        return self.path / "prior_factors.safetensors"

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
        """Turn a full disk, or a directory without permission, into a one-line error.

        Raises:
            RunDirectoryError: something inside raised an OSError.
        """
        with writing(self.path):
            yield

    def _write(self, path: Path, data: Mapping[str, Any]) -> None:
        with self.writing():
            write_json(path, data)

    def _is_remnant(self, entry: Path) -> bool:
        if entry == self.checkpoints:
            return entry.is_dir() and not any(entry.iterdir())
        return entry == self.lock or is_partial(entry.name)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk, or a folder without permission, into a one-line error.

    Args:
        path: named where the error names no file.

    Raises:
        RunDirectoryError: something inside raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise RunDirectoryError(
            f"{error.filename or path}: cannot be written: {error.strerror or error}"
        ) from None


def resolved(config: ExperimentConfig) -> dict[str, Any]:
    """The experiment as JSON with every default written out, without `$schema` and `$comment`."""
    return config.model_dump(mode="json", by_alias=True, exclude={"schema_", "comment"})


def config_hash(config: ExperimentConfig) -> str:
    """What identifies a method: equal for runs that differ in nothing but seed, machine and place.

    It is the SHA-256, in hexadecimal, of the resolved experiment as JSON (sorted keys, no
    spaces), without `seed`, `output_dir`, `device`, `logging`, `$schema` and `$comment`.
    """
    return _hash(config.model_dump(mode="json", by_alias=True, exclude=_NOT_THE_METHOD))


def _hash(data: dict[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def learning_hash(config: ExperimentConfig) -> str:
    """What identifies the learning of a run, however long it is, however it is judged.

    As `config_hash`, without `evaluation` and `training.env_steps` too: none of them changes what
    a step does, so that a run can be extended.
    """
    data = config.model_dump(mode="json", by_alias=True, exclude={*_NOT_THE_METHOD, "evaluation"})
    del data["training"]["env_steps"]
    return _hash(data)


def in_words(changes: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """Changed fields, one text each."""
    return [f"{field} was {old!r} and is {new!r}" for field, (old, new) in changes.items()]


def _may_change(field: str) -> bool:
    return any(field == free or field.startswith(f"{free}.") for free in _MAY_CHANGE)


def _differences(old: Any, new: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Old and new value of every field that differs, by its dotted path."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return {} if old == new else {path: (old, new)}
    found: dict[str, tuple[Any, Any]] = {}
    for key in sorted(old.keys() | new.keys()):
        found |= _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    return found
