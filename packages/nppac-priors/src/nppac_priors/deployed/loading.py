"""`load_policy`: an exported policy from its folder."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from nppac_priors.config import error_lines
from nppac_priors.deployed.actors import actor_of
from nppac_priors.deployed.alarm import Alarm
from nppac_priors.deployed.files import (
    ACTOR,
    EPISODE_SCORES,
    FORMAT,
    POLICY_FILE,
    PRIOR_FILE,
    SCORES,
    VERSION,
)
from nppac_priors.deployed.policy import DeployedPolicy
from nppac_priors.deployed.spec import PolicySpec
from nppac_priors.device import usable_device
from nppac_priors.errors import ConfigError, PolicyFileError
from nppac_priors.loading import load_prior
from nppac_priors.prior import GaussianPrior
from nppac_priors.strict_json import parse_json
from nppac_priors.tensor_file import TensorFileError, checksum, read_tensors


def load_policy(folder: str | Path, *, device: str | torch.device = "cpu") -> DeployedPolicy:
    """A policy that `nppac-run export` wrote; needs torch and this package alone.

    Nothing of the folder is executed, and every byte of it is checked.

    Args:
        folder: The folder.
        device: Where it acts.

    Raises:
        PolicyFileError: No such folder, not a policy, damaged, or of another version.
        PriorFileError, UnknownKindError: Its prior is damaged, or of a kind that is not installed.
        DeviceError: The device cannot be used.
    """
    folder, device = Path(folder), usable_device(device)
    path = folder / POLICY_FILE
    if folder.exists() and not path.is_file():
        raise PolicyFileError(f"{folder}: no exported policy: it holds no {POLICY_FILE}")
    try:
        tensors, metadata = read_tensors(path, format=FORMAT, version=VERSION)
        spec = _spec(path, metadata)
        prior = _prior(folder / PRIOR_FILE, spec, device)
    except TensorFileError as error:
        raise PolicyFileError(str(error)) from error
    network = {k.removeprefix(ACTOR): v for k, v in tensors.items() if k.startswith(ACTOR)}
    try:
        actor = actor_of(spec.actor, network, spec.state_dim, spec.action_dim)
        alarm = _alarm(tensors, device) if spec.alarm else None
    except PolicyFileError as error:
        raise PolicyFileError(f"{path}: {error}") from error
    return DeployedPolicy(spec, actor.to(device), prior, alarm)


def _spec(path: Path, metadata: dict[str, str]) -> PolicySpec:
    try:
        return PolicySpec.model_validate(parse_json(metadata.get("spec", "")))
    except ValidationError as error:
        raise PolicyFileError(f"{path}: {'; '.join(error_lines(error, 'spec'))}") from error
    except ConfigError as error:
        raise PolicyFileError(f"{path}: spec: {error}") from error


def _prior(path: Path, spec: PolicySpec, device: torch.device) -> GaussianPrior | None:
    if spec.prior is None:
        return None
    if checksum(path) != spec.prior:
        raise PolicyFileError(f"{path}: is another prior than the policy was exported with")
    prior = load_prior(path, device=device)
    sizes = prior.state_dim, prior.action_dim
    if not isinstance(prior, GaussianPrior) or sizes != (spec.state_dim, spec.action_dim):
        raise PolicyFileError(f"{path}: is no Gaussian prior of the policy's dimensions")
    return prior


def _alarm(tensors: dict[str, Tensor], device: torch.device) -> Alarm:
    for name in (SCORES, EPISODE_SCORES):
        found = tensors.get(name)
        if found is None or found.ndim != 1 or not len(found) or not torch.isfinite(found).all():
            raise PolicyFileError(f"{name!r} has to be a vector of finite numbers")
    return Alarm(tensors[SCORES].to(device), tensors[EPISODE_SCORES].to(device))
