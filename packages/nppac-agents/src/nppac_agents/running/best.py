"""The best policy of a run: a checkpoint of the agent alone, in a folder beside the others."""

from __future__ import annotations

from pathlib import Path

from nppac_priors.errors import DataError

from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.console import Console
from nppac_agents.running.identity import RunIdentity

BEST = "best"
"""Folder in that of the checkpoints"""


def best_checkpoint(folder: Path, identity: RunIdentity, console: Console) -> Checkpoint | None:
    """The checkpoint of the best policy; None, and said on the console, where it cannot be read.

    Args:
        folder: of the run's checkpoints.
        identity: of the run.
        console: of the run.
    """
    found = checkpoints(folder / BEST)
    if not found:
        console.line(f"{folder / BEST}: the best policy is missing; the last one stands alone")
        return None
    try:
        checkpoint = Checkpoint.load(found[-1])
    except DataError as error:
        console.line(f"{error}; the last policy stands alone")
        return None
    if checkpoint.identity != identity:
        console.line(f"{found[-1]}: is of another run; the last policy stands alone")
        return None
    return checkpoint
