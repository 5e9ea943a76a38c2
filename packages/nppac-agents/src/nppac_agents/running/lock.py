"""One process a run directory: a lock file that names its owner, and whose time is a heartbeat.

`run.lock` is created exclusively; its owner touches it every `HEARTBEAT` seconds and removes it at
the end. A dead owner's lock is taken over: at once where its death can be seen, which is on the
same machine; otherwise after `SILENCE` seconds without a heartbeat, or on request.

Whoever looks and then writes holds the kernel's advisory lock on the file meanwhile, which a kill
releases: of two that find a dead owner, one wins. Where a file system has no such locks, the loser
of that race finds the other's name at its next heartbeat, and stops.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TextIO, final

from nppac_priors.atomic_files import partial_path
from nppac_priors.errors import NppacError

from nppac_agents.running.process import Process

HEARTBEAT = 2.0
"""Seconds between two signs of life."""

SILENCE = 60.0
"""Seconds without a sign of life after which an owner on another machine counts as dead."""


class LockError(NppacError):
    """A run directory that another process owns."""


def living_owner(path: Path) -> Process | None:
    """Whom a lock names, as long as that process lives or, elsewhere, gave a sign of life lately.

    Only looks: for whoever watches a run that is another's.
    """
    try:
        with path.open(encoding="utf-8") as file:
            owner = _owner(file)
            silence = time.time() - os.fstat(file.fileno()).st_mtime
    except OSError:
        return None
    if owner is None:
        return None
    lives = owner.is_running if owner.is_here else silence < SILENCE
    return owner if lives else None


@final
class RunLock:
    """The lock of one run directory, for this process.

    Attributes:
        path: the lock file; its folder has to exist.
        loss: how this process lost the lock, in words; empty as long as it has not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loss = ""
        self._process = Process.this()
        self._ended = threading.Event()

    def acquire(
        self, *, take_over: bool = False, on_loss: Callable[[], None] = lambda: None
    ) -> None:
        """Make this process the owner, and show from now on that it lives.

        Args:
            take_over: do not wait for the silence of an owner on another machine.
            on_loss: called by the heartbeat's thread when this process is no longer the owner.

        Raises:
            LockError: another process is the owner.
            OSError: the lock cannot be written.
        """
        while not self._try_to_acquire(take_over):
            pass  # another process removed the file between two steps
        threading.Thread(target=self._beat, args=(on_loss,), daemon=True).start()

    def is_held(self) -> bool:
        """Whether this process is the owner, as the file says now."""
        try:
            with self.path.open(encoding="utf-8") as file:
                return _owner(file) == self._process
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Remove the lock if this process is the owner; do nothing otherwise."""
        self._ended.set()
        with contextlib.suppress(OSError), self.path.open("r+", encoding="utf-8") as file:
            _close_to_others(file)
            if self._is_at_path(file) and _owner(file) == self._process:
                self.path.unlink()

    def _try_to_acquire(self, take_over: bool) -> bool:
        created = True
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            created = False
            try:
                descriptor = os.open(self.path, os.O_RDWR)
            except FileNotFoundError:
                return False
        with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
            alone = _close_to_others(file)
            if not self._is_at_path(file):
                return False
            owner = _owner(file)
            if owner is not None or not (created or alone):
                self._refuse_unless_dead(owner, file, take_over)
            try:
                self._write(file)
            except OSError:
                self.path.unlink(missing_ok=True)
                raise
        return True

    def _refuse_unless_dead(self, owner: Process | None, file: TextIO, take_over: bool) -> None:
        if owner is not None and owner.is_here:
            if owner.is_running:
                raise LockError(
                    f"{self.path.parent}: in use by {_name(owner)}; "
                    "wait until it ends or stop it, or choose another output_dir"
                )
            return
        silence = self._now() - os.fstat(file.fileno()).st_mtime
        if silence < SILENCE and not take_over:
            raise LockError(
                f"{self.path.parent}: in use by {_name(owner)}, whose last sign of life is "
                f"{max(silence, 0):.0f} s old; after {SILENCE:.0f} s it counts as dead; use "
                "--take-over if you know that it is, or choose another output_dir"
            )

    def _now(self) -> float:
        """The time by the clock that also stamps the heartbeats: the file system's."""
        probe = partial_path(self.path)
        try:
            probe.touch()
            return probe.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)

    def _write(self, file: TextIO) -> None:
        file.seek(0)
        file.truncate()
        json.dump(asdict(self._process), file)
        file.flush()
        os.fsync(file.fileno())

    def _is_at_path(self, file: TextIO) -> bool:
        """Whether the opened file is still the lock, and was not removed meanwhile."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _beat(self, on_loss: Callable[[], None]) -> None:
        while not self._ended.wait(HEARTBEAT):
            try:
                with self.path.open(encoding="utf-8") as file:
                    owner = _owner(file)
                    if owner == self._process:
                        os.utime(file.fileno())
                        continue
                    loss = f"taken over by {_name(owner)}"
            except FileNotFoundError:
                loss = f"{self.path.name} was removed, so that others may start there"
            except OSError:
                continue  # a network file system that does not answer for a moment
            if not self._ended.is_set():
                self.loss = f"{self.path.parent}: {loss}; this process stops"
                on_loss()
            return


def _name(owner: Process | None) -> str:
    return "another process" if owner is None else f"process {owner.pid} on {owner.host}"


def _close_to_others(file: TextIO) -> bool:
    """Wait until no other process has the file so; False where the file system cannot do it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


def _owner(file: TextIO) -> Process | None:
    """Whom the lock names; None where its writer was killed before it wrote its name."""
    file.seek(0)
    try:
        return Process(**json.load(file))
    except (ValueError, TypeError):
        return None
