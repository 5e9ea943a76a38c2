"""The fitted prior of conditional VAEs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.quasirandom import SobolEngine

from nppac_priors.cvae.distribution import CVAEMixture
from nppac_priors.cvae.ensemble import CVAEEnsemble
from nppac_priors.networks.perceptrons import StackedNetworks
from nppac_priors.networks.training_set import Standardiser
from nppac_priors.prior import Prior

if TYPE_CHECKING:
    from nppac_priors.cvae.config import CVAEConfig

_EDGE = 1e-6
_GROUPS = ("encoder_weights", "encoder_biases", "decoder_weights", "decoder_biases")


class CVAEPrior(Prior):
    """The even mixture of K conditional VAEs; its log-density is an estimate.

    Attributes:
        models: The K models, of standardised states.
        standardiser: What they see states through.
    """

    config: CVAEConfig

    def __init__(
        self,
        config: CVAEConfig,
        models: CVAEEnsemble,
        standardiser: Standardiser,
        data_hash: str = "",
    ) -> None:
        """Freeze the models."""
        super().__init__(
            config,
            state_dim=len(standardiser.shift),
            action_dim=models.decoder_weights[-1].shape[-1] // 2,
            data_hash=data_hash,
        )
        self.models = models.requires_grad_(False)
        self.standardiser = standardiser
        self._noise = _spread_normal(config.density_samples, models.latent_dim).to(self.device)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.standardiser.shift.device

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        """Weights, biases and standardisation; there is nothing to recompute."""
        groups = {name: getattr(self.models, name) for name in _GROUPS}
        layers = {
            f"{name}_{layer}": tensor.detach().contiguous()
            for name, tensors in groups.items()
            for layer, tensor in enumerate(tensors)
        }
        return layers | vars(self.standardiser)

    def _to(self, device: torch.device) -> Self:
        return type(self)(
            self.config,
            _models(self.state(), device),
            self.standardiser.to(device),
            self.data_hash,
        )

    def _distribution(self, states: Tensor) -> Distribution:
        return CVAEMixture(self.models, self.standardiser(states), self._noise, self.action_dim)


def _spread_normal(count: int, dim: int) -> Tensor:
    """Normal points (count, dim) that fill the space more evenly than drawn ones, always the same.

    Sobol points (Owen 1998), in each dimension through the quantiles of a normal.
    """
    points = SobolEngine(dim, scramble=True, seed=0).draw(count)
    return torch.special.ndtri(points.clamp(_EDGE, 1.0 - _EDGE))


def restore_prior(
    config: CVAEConfig, tensors: dict[str, Tensor], device: str | torch.device
) -> CVAEPrior:
    """Rebuild a prior from `CVAEPrior.state`."""
    standardiser = Standardiser(tensors["shift"], tensors["scale"])
    return CVAEPrior(config, _models(tensors, device), standardiser.to(device))


def _models(tensors: dict[str, Tensor], device: str | torch.device) -> CVAEEnsemble:
    layers = range(sum(name.startswith("encoder_weights_") for name in tensors))
    groups = [tuple(tensors[f"{name}_{i}"].to(device) for i in layers) for name in _GROUPS]
    encoders, decoders = StackedNetworks(*groups[:2]), StackedNetworks(*groups[2:])
    return CVAEEnsemble(encoders, decoders, bounded=True)
