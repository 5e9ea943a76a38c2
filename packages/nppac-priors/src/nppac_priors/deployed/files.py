"""An exported policy as a folder: what its files are called, and how they are written.

`policy.safetensors` holds the tensors of the network and of the alarm, and in its metadata the
`PolicySpec` as JSON, so that its checksum guards both. `prior.safetensors` is the prior as
`nppac_priors.load_prior` reads it; the spec has its checksum. No pickle, no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from nppac_priors.config import error_lines
from nppac_priors.deployed.actors import actor_of
from nppac_priors.deployed.alarm import Alarm
from nppac_priors.deployed.spec import PolicySpec
from nppac_priors.errors import ConfigError, PolicyFileError
from nppac_priors.prior import GaussianPrior
from nppac_priors.tensor_file import TensorFileError, checksum, write_tensors

FORMAT = "nppac-policy"
VERSION = "1"
POLICY_FILE = "policy.safetensors"
PRIOR_FILE = "prior.safetensors"
CARD_FILE, PAGE_FILE = "card.json", "README.md"
"""For people: what is known of the policy, as data and as a page."""
ACTOR, SCORES, EPISODE_SCORES = "actor/", "alarm/scores", "alarm/episode_scores"


def save_policy(
    folder: Path,
    fields: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    prior: GaussianPrior | None,
    alarm: Alarm | None,
) -> None:
    """Write a policy into a folder, which is made; the policy's file comes last.

    Args:
        folder: Files in it that bear the same names are replaced.
        fields: Of the `PolicySpec`, without `prior` and `alarm`, which follow from these.
        tensors: Of the actor.
        prior: With what it needs to act at once: large factors are stored too.
        alarm: None for none.

    Raises:
        ConfigError: The fields do not fit each other.
        PolicyFileError: The folder cannot be written, or tensors do not fit the fields.
        PriorFileError: The prior cannot be written.
    """
    named = {f"{ACTOR}{name}": tensor for name, tensor in tensors.items()}
    if alarm is not None:
        named |= {SCORES: alarm.scores, EPISODE_SCORES: alarm.episode_scores}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = None
        if prior is not None:
            prior.save(folder / PRIOR_FILE, include_factors=True)
            found = checksum(folder / PRIOR_FILE)
        spec = PolicySpec(**fields, prior=found, alarm=alarm is not None)
        actor_of(spec.actor, tensors, spec.state_dim, spec.action_dim)
        metadata = {"format": FORMAT, "version": VERSION, "spec": spec.model_dump_json()}
        write_tensors(folder / POLICY_FILE, named, metadata)
    except ValidationError as error:
        raise ConfigError("; ".join(error_lines(error, "policy"))) from error
    except OSError as error:
        raise PolicyFileError(f"{folder}: cannot be written: {error.strerror or error}") from error


def checksums(folder: Path) -> dict[str, str]:
    """The checksums of a policy's files, by name.

    Raises:
        PolicyFileError: The policy is missing, or a file is damaged.
    """
    names = [n for n in (POLICY_FILE, PRIOR_FILE) if n == POLICY_FILE or (folder / n).exists()]
    try:
        return {name: checksum(folder / name) for name in names}
    except TensorFileError as error:
        raise PolicyFileError(str(error)) from error
