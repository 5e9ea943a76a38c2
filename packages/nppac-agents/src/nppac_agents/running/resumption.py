"""What a resume continues from: the latest checkpoint of this very run that is intact."""

from __future__ import annotations

from pathlib import Path

from nppac_priors.errors import DataError

from nppac_agents.metrics_file import DamagedMetricsError
from nppac_agents.running.checkpoint import (
    Checkpoint,
    CheckpointFileError,
    DamagedCheckpointError,
    checkpoints,
)
from nppac_agents.running.console import Console
from nppac_agents.running.identity import RunIdentity
from nppac_agents.running.run_directory import RunDirectory


def find_resumption(
    directory: RunDirectory, current: RunIdentity, console: Console
) -> tuple[RunIdentity, Checkpoint | None]:
    """Whose run it is, and where it goes on; what is skipped or missing is said on the console.

    Args:
        directory: of the run.
        current: the identity that the run would have if it were created now.
        console: of the run.

    Returns:
        The identity of the run that is continued, and its checkpoint; `current` and None where
        there is nothing yet.

    Raises:
        DataError: what is there belongs to another run, or all checkpoints are damaged. Starting
            from the beginning would then overwrite what the run has measured, so that is left to
            whoever removes the checkpoints.
    """
    environment = directory.environment
    begun = environment.exists() or not directory.is_unused
    stored = _stored_identity(environment, console) if begun else None
    if stored is not None:
        stored.require_same(current, environment)
    checkpoint = _latest_intact(directory, stored, current, console)
    if checkpoint is None:
        console.line("no checkpoint yet: starting from the beginning")
        return stored or current, None
    return checkpoint.identity, checkpoint


def _stored_identity(environment: Path, console: Console) -> RunIdentity | None:
    try:
        return RunIdentity.read(environment)
    except DataError as error:
        console.line(f"{error}; it is written anew")
        return None


def _latest_intact(
    directory: RunDirectory, stored: RunIdentity | None, current: RunIdentity, console: Console
) -> Checkpoint | None:
    skipped: list[DataError] = []
    for path in reversed(checkpoints(directory.checkpoints)):
        try:
            checkpoint = Checkpoint.load(path)
            checkpoint.identity.require_same(current, path)
            if stored not in (None, checkpoint.identity):
                raise CheckpointFileError(
                    f"{path}: is of run {checkpoint.identity.run_id}, environment.json of run "
                    f"{stored.run_id}, or of another prior; put the right one back"
                )
            checkpoint.metrics.check(directory.metrics)
        except (DamagedCheckpointError, DamagedMetricsError) as error:
            skipped.append(error)
            continue
        for error in skipped:
            console.line(f"{error}; continuing from the checkpoint before")
        return checkpoint
    if skipped:
        raise type(skipped[0])(
            f"{skipped[0]}; no other checkpoint can be continued from: put an intact one back, or "
            f"empty {directory.checkpoints} to start from the beginning"
        )
    return None
