"""Owning a run directory: from before its first file until the run ends, whichever way.

Nothing is ever removed but what this process made in this call: the files of a start that failed
before anything of worth, and a folder that is empty without them. What only reads a run
(`nppac-run report`, `compare`, `record`) owns nothing and waits for nobody: every file is whole at
any moment, and what `report` writes is none of the files that a run goes on from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.interruption import Interrupted, interrupt_at_once
from nppac_agents.running.lock import LockError, RunLock
from nppac_agents.running.run_directory import RunDirectory


@contextlib.contextmanager
def own_run_directory(
    config: ExperimentConfig, *, resume: bool, take_over: bool
) -> Iterator[RunDirectory]:
    """The experiment's run directory, started or resumed, for this process alone.

    Args:
        config: names the directory in `output_dir`.
        resume: continue what is there, if there is something.
        take_over: do not wait for the silence of an owner on another machine.

    Raises:
        ConfigError: something is there, or, to resume, something else than this run.
        LockError: another process owns the directory, or took it over meanwhile.
        RunDirectoryError: it cannot be written or read.
        Interrupted: in place of a KeyboardInterrupt; says what is kept.
    """
    run = RunDirectory(config.output_dir)
    if not run.lock.exists():
        (run.check_resumable if resume else run.check_free)()
    lock = RunLock(run.lock)
    with contextlib.ExitStack() as stack:
        with run.writing():
            if _make(run.path):
                stack.callback(_remove_if_empty, run.path)
            lock.acquire(take_over=take_over, on_loss=interrupt_at_once)
        stack.callback(lock.release)
        stack.enter_context(_failing_well(run, lock))
        run.remove_partials()
        yield (RunDirectory.resume if resume else RunDirectory.create)(run.path, config)


def _make(path: Path) -> bool:
    """Make the folder; whether it was not there."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def _remove_if_empty(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.rmdir()


@contextlib.contextmanager
def _failing_well(run: RunDirectory, lock: RunLock) -> Iterator[None]:
    """However the run fails: what it leaves, and what is said of it."""
    new = not run.exists()
    try:
        yield
    except BaseException as error:
        if lock.loss:
            raise LockError(lock.loss) from error
        discarded = new and run.is_unused and lock.is_held()
        if discarded:
            run.discard()
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(_kept(run, discarded)) from error
        raise


def _kept(run: RunDirectory, discarded: bool) -> str:
    if discarded:
        return "interrupted before there was anything to keep; nothing is left of this run"
    if any(run.checkpoints.glob("*.safetensors")):
        return "interrupted; --resume continues from the last checkpoint"
    if run.prior.exists():
        return "interrupted before the first checkpoint; --resume goes on from the fitted prior"
    return "interrupted before the first checkpoint; --resume starts again"
