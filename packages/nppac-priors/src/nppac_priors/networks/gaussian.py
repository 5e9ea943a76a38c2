"""Configuration of the Gaussian network cloned by maximum likelihood.

The prior that the paper warns of: its standard deviation falls away from the demonstrations. Use it
to see that, and as a baseline; `ensemble` and the Gaussian processes are better priors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nppac_priors.networks.config import MLPConfig

if TYPE_CHECKING:
    import torch

    from nppac_priors.networks.objective import MaximumLikelihood
    from nppac_priors.networks.training_set import TrainingSet


class GaussianMLPConfig(MLPConfig):
    """One Gaussian network by maximum likelihood (Rudner et al. 2021, C.14 to C.17).

    Optionally with an entropy bonus, of fixed weight or as the dual of a target entropy (Wu et al.
    2019), and with a Tikhonov penalty; both are remedies that the paper finds wanting.
    """

    kind: Literal["gaussian-mlp"] = "gaussian-mlp"  # pyright: ignore[reportIncompatibleVariableOverride]
    entropy_weight: float = Field(0.0, ge=0.0, lt=1.0)
    """Weight beta of the entropy bonus. On the data it widens the std by 1 / sqrt(1 - beta). With
    target_entropy, where beta starts."""
    target_entropy: float | None = Field(None, ge=-10.0, le=3.0)
    """Entropy in nats per action dimension, averaged over the demonstrations, that beta is adapted
    to reach, at least; a std of 0.1 has -0.88. Null: beta is fixed."""
    tikhonov: float = Field(0.0, ge=0.0)
    """Weight lambda of the squared norm of all weights and biases, against the log-likelihood per
    state."""

    def objective(self, data: TrainingSet, generator: torch.Generator) -> MaximumLikelihood:
        """Maximum likelihood of one network, with the penalties."""
        from nppac_priors.networks.objective import MaximumLikelihood
        from nppac_priors.networks.perceptrons import StackedNetworks

        target = self.target_entropy
        action_dim = data.fitted.actions.shape[-1]
        networks = StackedNetworks.draw(1, data.layer_sizes(self.hidden), generator)
        return MaximumLikelihood(
            networks.to(data.device),
            entropy_weight=self.entropy_weight,
            target_entropy=None if target is None else target * action_dim,
            tikhonov=self.tikhonov,
        )
