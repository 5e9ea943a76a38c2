"""The prior of a run as its file keeps it, whether just fitted or an earlier start's.

Weights that lie column by column in memory multiply to other last bits than the same weights row by
row, so a run never uses a fitted prior itself, only what was read back.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from nppac_priors import Prior, load_prior
from nppac_priors.errors import PriorFileError
from nppac_priors.tensor_file import TensorFileError, checksum

from nppac_agents.running.console import Console
from nppac_agents.running.shared_fits import write_shared


def saved_prior(
    path: Path,
    recorded: str | None,
    fit: Callable[[], Prior | None],
    *,
    device: torch.device,
    console: Console,
    shared: Path | None = None,
) -> tuple[Prior | None, str | None]:
    """The prior, read from its file, and the file's checksum; None and None without a prior.

    Args:
        path: the file.
        recorded: its checksum, where an earlier start of the run has fitted it.
        fit: fits it, where there is no such file, or a damaged one.
        device: where it will live.
        console: where its origin is told.
        shared: where other runs leave the same fit, and this one may; see `shared_fits`.

    Raises:
        PriorFileError: the file is another prior than the recorded one, or of another version; or
            one fitted again is another than the recorded one.
    """
    if recorded is not None:
        try:
            prior = recorded_prior(path, recorded, device)
        except TensorFileError as error:
            console.line(f"{error}; the prior is fitted again")
        else:
            console.line(f"prior: read from {path}")
            return prior, recorded

    fitted: Prior | None = None

    def write(file: Path) -> bool:
        nonlocal fitted
        fitted = fit()
        if fitted is not None:
            fitted.save(file)
        return fitted is not None

    written = write(path) if shared is None else write_shared(path, shared, write, console)
    if not written:
        return None, None
    found = checksum(path)
    if recorded not in (None, found):
        raise PriorFileError(
            f"{path}: the prior fitted again is not the one of the checkpoints, to the bit, as on "
            "another machine; put the file back, or choose another output_dir"
        )
    prior = load_prior(path, device=device)
    if fitted is not None:
        prior.reuse(fitted)
    return prior, found


def recorded_prior(path: Path, recorded: str, device: torch.device) -> Prior:
    """The prior with a recorded checksum.

    Raises:
        TensorFileError: the file is missing or damaged.
        PriorFileError: it is another prior, or of another version.
    """
    found = checksum(path)
    prior = load_prior(path, device=device)
    if found != recorded:
        raise PriorFileError(
            f"{path}: is not the prior that this run has fitted; put that back, or remove this one "
            "and --resume to fit it again"
        )
    return prior
