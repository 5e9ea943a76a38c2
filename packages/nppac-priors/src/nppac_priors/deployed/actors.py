"""The actor that a spec describes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from nppac_priors.deployed.actor import Actor
from nppac_priors.deployed.choice import Choice
from nppac_priors.deployed.network_actor import NetworkActor
from nppac_priors.deployed.spec import ActorSpec, ChoiceSpec


def actor_of(
    spec: ActorSpec | ChoiceSpec, tensors: Mapping[str, Tensor], state_dim: int, action_dim: int
) -> Actor:
    """The actor with its tensors.

    Raises:
        PolicyFileError: A tensor is missing, of another shape, or not finite.
    """
    form = Choice if isinstance(spec, ChoiceSpec) else NetworkActor
    return form(spec, tensors, state_dim, action_dim)
