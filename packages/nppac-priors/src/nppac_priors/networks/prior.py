"""The fitted prior of all kinds made of Gaussian networks, and how it comes to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from nppac_priors.networks.perceptrons import StackedNetworks, mixture_moments
from nppac_priors.networks.training import train
from nppac_priors.networks.training_set import Standardiser, TrainingSet
from nppac_priors.prior import GaussianPrior, Prior
from nppac_priors.randomness import isolated_randomness

if TYPE_CHECKING:
    from nppac_priors.networks.config import MLPConfig
    from nppac_priors.progress import ProgressCallback

_ROWS_AT_ONCE = 2**16


class MLPPrior(GaussianPrior):
    """The moments of an even mixture of K Gaussian networks: one, an ensemble, or weight draws.

    Attributes:
        networks: The K networks.
        standardiser: What they see states through.
    """

    config: MLPConfig

    def __init__(
        self,
        config: MLPConfig,
        networks: StackedNetworks,
        standardiser: Standardiser,
        data_hash: str = "",
    ) -> None:
        """Freeze the networks, row by row in memory whatever their training made of them."""
        super().__init__(
            config,
            state_dim=networks.weights[0].shape[1],
            action_dim=networks.weights[-1].shape[2] // 2,
            data_hash=data_hash,
        )
        self.networks = StackedNetworks(
            tuple(w.detach().contiguous() for w in networks.weights),
            tuple(b.detach().contiguous() for b in networks.biases),
        )
        self.standardiser = standardiser

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.standardiser.shift.device

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        """Weights, biases and standardisation; there is nothing to recompute."""
        layers = {f"weight_{i}": w for i, w in enumerate(self.networks.weights)}
        layers |= {f"bias_{i}": b for i, b in enumerate(self.networks.biases)}
        return layers | vars(self.standardiser)

    def _to(self, device: torch.device) -> Self:
        return type(self)(
            self.config,
            self.networks.to(device),
            self.standardiser.to(device),
            self.data_hash,
        )

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `GaussianPrior.tensors`."""
        return mixture_moments(*self.networks(self.standardiser(states)))

    def _moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        rows = max(1, _ROWS_AT_ONCE // self.networks.count)
        means, stds = zip(*map(self.tensors, states.split(rows)), strict=True)
        return torch.cat(means), torch.cat(stds)


def fit_prior(
    config: MLPConfig,
    data: TrainingSet,
    generator: torch.Generator,
    progress: ProgressCallback | None,
) -> Prior:
    """Train the config's objective; global generators are neither read nor moved.

    Raises:
        NumericalError: The loss became non-finite.
    """
    with isolated_randomness(generator, data.device):
        objective = config.objective(data, generator)
        train(config, objective, data, generator, progress)
        networks = objective.networks()
    return config.prior(networks, data.standardiser, data.data_hash)


def restore_prior(
    config: MLPConfig, tensors: dict[str, Tensor], device: str | torch.device
) -> MLPPrior:
    """Rebuild a prior from `MLPPrior.state`."""
    layers = range(sum(name.startswith("weight_") for name in tensors))
    networks = StackedNetworks(
        tuple(tensors[f"weight_{i}"] for i in layers), tuple(tensors[f"bias_{i}"] for i in layers)
    )
    standardiser = Standardiser(tensors["shift"], tensors["scale"])
    return MLPPrior(config, networks.to(device), standardiser.to(device))
