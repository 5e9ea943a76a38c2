"""A prior of every registered kind, as large as a trained one, for measurements of its queries.

What a query costs does not depend on how long a prior was trained, so each is fitted for one step;
the exact Gaussian process keeps every mode then, the dearest case.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import torch
from nppac_priors import Prior, prior_registry
from numpy.typing import NDArray
from torch import nn

FEW = 1_000
_NETWORK = {"kind": "gaussian-mlp", "steps": 1}
WRAPPERS: dict[str, dict[str, Any]] = {
    "variance-floor": {"prior": _NETWORK, "min_std": 0.1},
    "constant-variance": {"prior": _NETWORK, "std": 0.1},
    "mean-and-scale": {"mean": _NETWORK, "scale": _NETWORK},
}
OTHERS: dict[str, dict[str, Any]] = {
    f"exact-gp, {FEW:,} states": {"kind": "exact-gp", "steps": 1},
    "bayesian-mlp, dropout": {"kind": "bayesian-mlp", "inference": "dropout", "steps": 1},
}
"""Second settings of a kind, by what they are called."""


class Clone(nn.Module):
    """A policy of somebody else, of the size of `gaussian-mlp`."""

    def __init__(self, state_dim: int, action_dim: int) -> None:
        super().__init__()
        sizes = (state_dim, 256, 256)
        pairs = itertools.pairwise(sizes)
        hidden = [layer for pair in pairs for layer in (nn.Linear(*pair), nn.ReLU())]
        self.body = nn.Sequential(*hidden, nn.Linear(256, 2 * action_dim))

    def forward(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_std = self.body(states).chunk(2, -1)
        return mean.tanh(), log_std.exp()


def names() -> list[str]:
    """All kinds and `OTHERS`."""
    return sorted([*prior_registry().components, *OTHERS])


def fitted(name: str, states: NDArray[Any], actions: NDArray[Any], folder: Path) -> Prior:
    """The prior of that name, fitted to states (N, S) and actions (N, A).

    `file` is a `gaussian-mlp` and `program` a network of its size, whose files go into the folder.
    """
    registry = prior_registry()
    few = slice(FEW if name.startswith("exact-gp, ") else None)
    return registry.parse(_settings(name, states, actions, folder)).fit(states[few], actions[few])


def _settings(
    name: str, states: NDArray[Any], actions: NDArray[Any], folder: Path
) -> dict[str, Any]:
    """As little training as the kind allows."""
    if name in OTHERS:
        return OTHERS[name]
    if name in WRAPPERS:
        return {"kind": name, **WRAPPERS[name]}
    if name == "file":
        prior_registry().parse(_NETWORK).fit(states, actions).save(folder / "prior.safetensors")
        return {"kind": name, "path": str(folder / "prior.safetensors")}
    if name == "program":
        path, batch = folder / "policy.pt2", torch.export.Dim("batch")
        example = (torch.as_tensor(states[:2]),)
        clone = Clone(states.shape[1], actions.shape[1])
        program = torch.export.export(clone, example, dynamic_shapes=({0: batch},))
        torch.export.save(program, path)
        return {"kind": name, "path": str(path)}
    fields = prior_registry().get(name).model_fields
    return {"kind": name} | {step: 1 for step in ("steps", "start_steps") if step in fields}
