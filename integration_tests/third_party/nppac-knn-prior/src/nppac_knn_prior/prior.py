"""The nearest-neighbour prior."""

from __future__ import annotations

from typing import Any

import torch
from nppac_priors import GaussianPrior
from nppac_priors.data import demonstration_tensors, hash_data
from torch import Tensor

from nppac_knn_prior.config import KNNConfig

_LARGEST = 1e6  # in standardised units; squares of it stay finite in float32


class KNNPrior(GaussianPrior):
    """Gaussian with the moments of the nearest demonstration actions.

    With near variance v = spread^2 + min_std^2 and the mean distance d to the neighbours, the
    variance is w v + (1 - w) max(v, far_std^2), w = exp(-(d / typical)^2).
    """

    def __init__(self, config: KNNConfig, tensors: dict[str, Tensor], data_hash: str = "") -> None:
        super().__init__(
            config,
            state_dim=tensors["states"].shape[1],
            action_dim=tensors["actions"].shape[1],
            data_hash=data_hash,
        )
        self._settings = config
        self._tensors = tensors

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._tensors["states"].device

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        """The standardised demonstrations; there is nothing to recompute."""
        return dict(self._tensors)

    def _to(self, device: Any) -> KNNPrior:
        moved = {name: tensor.to(device) for name, tensor in self._tensors.items()}
        return KNNPrior(self._settings, moved, self.data_hash)

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, A) at states (B, S)."""
        data, settings = self._tensors, self._settings
        scaled = ((states - data["shift"]) / data["scale"]).clamp(-_LARGEST, _LARGEST)
        distances, nearest = _nearest(scaled, data["states"].to(scaled), settings.neighbours)
        actions = data["actions"][nearest]  # (B, k, A)
        near = actions.var(dim=1, correction=0) + settings.min_std**2
        weight = torch.exp(-((distances.mean(dim=1, keepdim=True) / data["typical"]) ** 2))
        variance = weight * near + (1 - weight) * near.clamp(min=settings.far_std**2)
        return actions.mean(dim=1), variance.sqrt()


def fit_prior(config: KNNConfig, states: Any, actions: Any, device: Any) -> KNNPrior:
    """Standardise the states, and take the median distance between neighbours as typical."""
    states, actions = demonstration_tensors(states, actions, device=device)
    shift, scale = states.mean(dim=0), states.std(dim=0, correction=0).clamp(min=1e-6)
    scaled = ((states - shift) / scale).clamp(-_LARGEST, _LARGEST)
    distances, _ = _nearest(scaled, scaled, config.neighbours + 1)
    tensors = {
        "states": scaled,
        "actions": actions,
        "shift": shift,
        "scale": scale,
        "typical": distances.mean(dim=1).median().clamp(min=1e-3),
    }
    return KNNPrior(config, tensors, hash_data(states, actions))


def _nearest(states: Tensor, data: Tensor, k: int) -> tuple[Tensor, Tensor]:
    distances = torch.cdist(states, data, compute_mode="donot_use_mm_for_euclid_dist")
    found = distances.topk(min(k, len(data)), dim=1, largest=False)
    return found.values, found.indices
