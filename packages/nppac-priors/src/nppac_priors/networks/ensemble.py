"""Configuration of the ensemble of Gaussian networks.

Where its members disagree its standard deviation is wider than theirs, which delays the collapse
away from the demonstrations and does not prevent it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nppac_priors.networks.config import MLPConfig

if TYPE_CHECKING:
    import torch

    from nppac_priors.networks.objective import MaximumLikelihood
    from nppac_priors.networks.training_set import TrainingSet


class EnsembleConfig(MLPConfig):
    """Gaussian networks from different initial weights and batches, trained in one batched pass.

    The prior has the mean and variance of their even mixture (Rudner et al. 2021, C.18 to C.20;
    Lakshminarayanan et al. 2017). Each member keeps the weights of its own best evaluation.
    """

    kind: Literal["ensemble"] = "ensemble"  # pyright: ignore[reportIncompatibleVariableOverride]
    members: int = Field(5, ge=2, le=100)
    """Number of networks."""

    def objective(self, data: TrainingSet, generator: torch.Generator) -> MaximumLikelihood:
        """Maximum likelihood of all members."""
        from nppac_priors.networks.objective import MaximumLikelihood
        from nppac_priors.networks.perceptrons import StackedNetworks

        sizes = data.layer_sizes(self.hidden)
        networks = StackedNetworks.draw(self.members, sizes, generator)
        return MaximumLikelihood(networks.to(data.device))
