"""Configuration of the Bayesian Gaussian network, by variational inference or MC dropout.

The paper's talk names Bayesian networks as a candidate without saying how they were inferred; these
are the two usual ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nppac_priors.networks.config import MLPConfig

if TYPE_CHECKING:
    import torch

    from nppac_priors.networks.objective import Objective
    from nppac_priors.networks.training_set import TrainingSet


class BayesianMLPConfig(MLPConfig):
    """A Gaussian network with a posterior over its weights.

    The fit draws `samples` networks from the posterior and keeps them: the prior has the mean and
    variance of their even mixture, the same at every query.
    """

    kind: Literal["bayesian-mlp"] = "bayesian-mlp"  # pyright: ignore[reportIncompatibleVariableOverride]
    inference: Literal["variational", "dropout"] = Field("variational")
    """variational: an independent normal posterior of each weight, with Pyro (Blundell et al.
    2015). dropout: MC dropout (Gal and Ghahramani 2016)."""
    samples: int = Field(32, ge=2, le=1000)
    """Networks drawn from the posterior, which make the moments."""
    weight_std: float = Field(1.0, gt=0.0)
    """Std of the weights before any data, times the square root of their layer's inputs."""
    dropout: float = Field(0.1, gt=0.0, lt=1.0)
    """Share of the hidden units left out; unused by variational inference."""
    learning_rate: float = Field(1e-3, gt=0.0, le=1.0)
    """Learning rate of Adam."""

    def objective(self, data: TrainingSet, generator: torch.Generator) -> Objective:
        """The evidence lower bound of the chosen posterior."""
        from nppac_priors.networks.bayesian.dropout import DropoutPosterior
        from nppac_priors.networks.bayesian.variational import VariationalPosterior
        from nppac_priors.networks.perceptrons import StackedNetworks

        initial = StackedNetworks.draw(1, data.layer_sizes(self.hidden), generator)
        initial = initial.to(data.device)
        both = {"samples": self.samples, "weight_std": self.weight_std}
        if self.inference == "variational":
            return VariationalPosterior(initial, data, **both)
        return DropoutPosterior(initial, data, rate=self.dropout, **both)
