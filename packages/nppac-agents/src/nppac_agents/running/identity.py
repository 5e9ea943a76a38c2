"""Whose a file is: what tells the files of one run from those of another."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from nppac_priors.errors import DataError

from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.run_directory import learning_hash


@dataclass(frozen=True)
class RunIdentity:
    """What `environment.json` and every checkpoint say of the run that they belong to.

    Attributes:
        run_id: drawn when the run was created.
        learning_hash: of all that its learning depends on at every step; see
            `run_directory.learning_hash`.
        seed: of the run.
        demonstrations_hash: SHA-256 of the demonstrations as used; None without any.
        prior_hash: checksum of `prior.safetensors`; None without one, or as long as it is not
            fitted.
    """

    run_id: str
    learning_hash: str
    seed: int
    demonstrations_hash: str | None
    prior_hash: str | None = None

    @classmethod
    def new(cls, config: ExperimentConfig, demonstrations_hash: str | None) -> Self:
        """The identity of a run that is created now."""
        return cls(uuid.uuid4().hex, learning_hash(config), config.seed, demonstrations_hash)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """The identity in a checkpoint; one of another version names no hash and resumes nowhere.

        What such a checkpoint has learned can still be used.
        """
        return cls(**{field.name: data.get(field.name, "") for field in fields(cls)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """The identity in an `environment.json`.

        Raises:
            DataError: it is missing, damaged, or says nothing of it.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            found = {field.name: data[field.name] for field in fields(cls)}
        except FileNotFoundError:
            raise DataError(f"{path}: no such file") from None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            reason = f"no field {error}" if isinstance(error, KeyError) else error
            raise DataError(f"{path}: damaged: {reason}") from None
        return cls(**found)

    def require_same(self, other: RunIdentity, where: Path) -> None:
        """Refuses what belongs to another method, seed or demonstrations than `other`.

        Raises:
            DataError: it does; names what is different in `where`, which this is the identity of.
        """
        if not self.learning_hash:
            raise DataError(
                f"{where}: was written by an earlier version, whose runs cannot go on; its "
                "policies can be evaluated, recorded and exported"
            )
        pairs = {
            "settings with hash": (self.learning_hash, other.learning_hash),
            "seed": (self.seed, other.seed),
            "demonstrations with hash": (self.demonstrations_hash, other.demonstrations_hash),
        }
        for what, (theirs, ours) in pairs.items():
            if theirs != ours:
                raise DataError(
                    f"{where}: is of a run with {what} {theirs}, not {ours}; resume with "
                    "the config, data and versions that the run was started with, or choose "
                    "another output_dir"
                )
