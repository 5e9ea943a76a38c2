"""Configuration of the conditional variational autoencoder of actions.

The first prior here that is no normal distribution: at one state it can have several modes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from nppac_priors.networks.config import MLPConfig

if TYPE_CHECKING:
    import torch

    from nppac_priors.cvae.objective import EvidenceLowerBound
    from nppac_priors.networks.training_set import Standardiser, TrainingSet
    from nppac_priors.prior import Prior


class CVAEConfig(MLPConfig):
    """Conditional VAEs of actions from different initial weights, as one even mixture.

    Encoder and decoder are ReLU networks of states, standardised; the decoder is a normal with mean
    tanh(head) and a learned std. Trained with Adam on the evidence lower bound (Sohn et al. 2015);
    each member keeps the weights of its own best evaluation on episodes held out.
    """

    gaussian = False

    kind: Literal["cvae"] = "cvae"  # pyright: ignore[reportIncompatibleVariableOverride]
    members: int = Field(3, ge=1, le=100)
    """Number of conditional VAEs."""
    latent_dim: Annotated[int, Field(ge=1, le=8192)] | None = Field(None)
    """Dimensions of the latent; null: two for each action dimension."""
    density_samples: int = Field(32, ge=2, le=10_000, multiple_of=2)
    """Latents of each member that a log-density is estimated with, an even number; few of them make
    it too low."""

    def objective(self, data: TrainingSet, generator: torch.Generator) -> EvidenceLowerBound:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The evidence lower bound of all members."""
        from nppac_priors.cvae.ensemble import CVAEEnsemble
        from nppac_priors.cvae.objective import EvidenceLowerBound

        state_dim, action_dim = (t.shape[-1] for t in (data.fitted.states, data.fitted.actions))
        latent_dim = self.latent_dim or 2 * action_dim
        models = CVAEEnsemble.draw(
            self.members,
            *(state_dim, action_dim, latent_dim),
            self.hidden,
            bounded=True,
            generator=generator,
        )
        return EvidenceLowerBound(models.to(data.device))

    def prior(self, networks: Any, standardiser: Standardiser, data_hash: str) -> Prior:
        """The prior of trained models."""
        from nppac_priors.cvae.prior import CVAEPrior

        return CVAEPrior(self, networks, standardiser, data_hash)

    def from_state(
        self, tensors: dict[str, torch.Tensor], *, device: str | torch.device = "cpu"
    ) -> Prior:
        """Rebuild the prior from its weights."""
        from nppac_priors.cvae.prior import restore_prior

        return restore_prior(self, tensors, device)
