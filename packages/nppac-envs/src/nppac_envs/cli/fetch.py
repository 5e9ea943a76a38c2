"""`nppac-demos fetch`: a published set, prepared for the examples as one npz file.

The file that the first fetch wrote holds the set to its hash: another set does not replace it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.inspect import overview
from nppac_envs.cli.table import table
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.fetching import prepare
from nppac_envs.demonstrations.npz import NpzConfig
from nppac_envs.demonstrations.public_sets import PUBLIC_SETS
from nppac_envs.errors import ConfigError, DataError


def fetch(arguments: argparse.Namespace) -> int:
    """Write a set, or list those that there are."""
    if arguments.name is None:
        rows = [("name", "episodes", "steps", "hash", "source")]
        for name, public in PUBLIC_SETS.items():
            steps, known = str(public.steps or "-"), "yes" if public.hash else "-"
            rows.append((name, str(public.episodes), steps, known, public.origin))
        print(table(rows))
        return ExitCode.DONE
    output = arguments.output or Path(f"{arguments.name}.npz")
    if output.suffix != ".npz":
        raise ConfigError(f"{output}: the output must end in .npz")
    demonstrations = prepare(arguments.name)
    public = PUBLIC_SETS[arguments.name]
    known = public.hash is not None
    if output.exists():
        _require_the_same(output, demonstrations)
        known = True
    demonstrations.save_npz(output)
    print(f"wrote {output}")
    print("  " + overview(demonstrations).replace("\n", "\n  "))
    if not known:
        print(f"  as written down: {public.compared} alone")
        print("  its hash was not written down before: name it in your experiment to keep the set")
    return ExitCode.DONE


def _require_the_same(path: Path, fetched: Demonstrations) -> None:
    """Raises DataError where the file holds another set than was fetched now."""
    there = NpzConfig(path=path).load().hash
    if there != fetched.hash:
        raise DataError(
            f"{path}: holds the set of hash {there}, and what was fetched now has {fetched.hash}; "
            "the published set is another one now, or this file never was it: look at both "
            "(--output NAME.npz writes beside it), or move it away"
        )
