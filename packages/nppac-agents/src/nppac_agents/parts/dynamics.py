"""A model of the environment: K networks of reward and next state, Gaussian ones as in PETS.

    (r, s' - s) ~ N(mu_k(s, a), sigma_k(s, a)^2)
    minimise    sum_k mean -2/D log N(y; mu_k, sigma_k) + 0.01 sum (l_high - l_low)
                + sum_layers decay/2 |W|^2

over D = 1 + S dimensions. log sigma^2 is held softly between l_low and l_high, which are learned.
Networks see inputs and outcomes in deviations of the data; what they say is in the environment's
units. The elites, which the model is asked through, have the lowest errors on held-out data.

Sources: Chua et al. 2018 (PETS), Yu et al. 2020 (MOPO).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import torch
from nppac_priors.networks.perceptrons import StackedNetworks, gaussian_nll
from torch import Tensor, nn
from torch.nn import functional

from nppac_agents.parts.imagined_rows import ImaginedRows
from nppac_agents.parts.part import Part
from nppac_agents.parts.regressors import StandardisedEnsemble

LOG_VARIANCE_RANGE = (-10.0, 0.5)
"""Where the bounds of the log variance start, in variances of the data"""
BOUNDS_WEIGHT = 0.01
FIRST_DECAY, LARGEST_HIDDEN_DECAY, LAST_DECAY = 2.5e-5, 7.5e-5, 1e-4
"""Weight decay of the first layer, which each later one has once more, and of the last"""


class Imagined(NamedTuple):
    """One step of the model."""

    rewards: Tensor
    """(B,)"""
    next_states: Tensor
    """(B, S)"""
    spread: Tensor
    """(B,), the largest norm, among the members, of the standard deviation of (r, s' - s)"""


class DynamicsEnsemble(StandardisedEnsemble):
    """The networks; `net(states, actions)` are mean and std (K, B, 1 + S) of (r, s' - s).

    Args:
        networks: from states and actions to the means and log variances.
        inputs: the states with actions (N, S + A) that inputs are measured by.
        outcomes: (r, s' - s) there, (N, 1 + S).
    """

    def __init__(self, networks: StackedNetworks, inputs: Tensor, outcomes: Tensor) -> None:
        super().__init__(networks, inputs, outcomes, functional.silu)
        size = outcomes.shape[1]
        self.low, self.high = (nn.Parameter(torch.full((size,), x)) for x in LOG_VARIANCE_RANGE)

    @classmethod
    def draw(
        cls,
        members: int,
        hidden: Sequence[int],
        inputs: Tensor,
        outcomes: Tensor,
        generator: torch.Generator,
    ) -> Self:
        """Untrained networks for data (N, S + A) and (N, 1 + S), by a CPU generator."""
        sizes = (inputs.shape[1], *hidden, 2 * outcomes.shape[1])
        return cls(StackedNetworks.draw(members, sizes, generator), inputs, outcomes)

    def standard(self, states: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log std (K, B, 1 + S) in deviations of the data.

        Args:
            states: (B, S) for all members, or (K, B, S).
            actions: (B, A), or (K, B, A).
        """
        outputs = self.outputs(torch.cat([states, actions], dim=-1))
        mean, log_variance = outputs.chunk(2, dim=-1)
        log_variance = self.high - functional.softplus(self.high - log_variance)
        log_variance = self.low + functional.softplus(log_variance - self.low)
        return mean, 0.5 * log_variance

    def forward(self, states: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and std (K, B, 1 + S) of (r, s' - s), in the environment's units."""
        mean, log_std = self.standard(states, actions)
        return self.shift + self.scale * mean, self.scale * log_std.exp()

    def loss(self, states: Tensor, actions: Tensor, outcomes: Tensor) -> Tensor:
        """The likelihood of outcomes (K, B, 1 + S), with what bounds and weights cost."""
        wanted = (outcomes - self.shift) / self.scale
        likelihood = gaussian_nll(wanted, *self.standard(states, actions)).mean(1).sum()
        loss = 2.0 / len(self.scale) * likelihood
        loss = loss + BOUNDS_WEIGHT * (self.high - self.low).sum()
        *hidden, last = self.weights
        for depth, weight in enumerate(hidden, start=1):
            decay = min(depth * FIRST_DECAY, LARGEST_HIDDEN_DECAY)
            loss = loss + 0.5 * decay * weight.square().sum()
        return loss + 0.5 * LAST_DECAY * last.square().sum()


class Dynamics(Part):
    """The ensemble with its optimizer, and its members in the order of their held-out errors.

    Args:
        ensemble: Gaussian networks, or regressions on (r, s' - s), which have no `step`.
        rate: Adam's learning rate.
        elites: members that the model is asked through.
        imagined: where a method keeps what it has imagined, which checkpoints hold then.
    """

    order: Tensor

    def __init__(
        self,
        ensemble: StandardisedEnsemble,
        rate: float,
        *,
        elites: int,
        imagined: ImaginedRows | None = None,
    ) -> None:
        super().__init__(ensemble, rate)
        self.members, self.n_elites = len(ensemble.weights[0]), elites
        self.imagined: Any = imagined
        self.register_buffer("order", torch.arange(self.members))

    @property
    def elites(self) -> Tensor:
        """Their indices, the best first."""
        return self.order[: self.n_elites]

    def mean(self, states: Tensor, actions: Tensor, members: Tensor | None = None) -> Tensor:
        """Mean (K, B, 1 + S) of (r, s' - s), of some members only where they are given."""
        net = self.net
        outputs = net.outputs(torch.cat([states, actions], dim=-1), members)
        return net.shift + net.scale * outputs[..., : len(net.scale)]

    @torch.no_grad()
    def expected(self, states: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Mean rewards (E, B) and next states (E, B, S), each elite's of its own inputs.

        Args:
            states: (E, B, S).
            actions: (E, B, A).
        """
        outcome = self.mean(states, actions, self.elites)
        return outcome[..., 0], states + outcome[..., 1:]

    @torch.no_grad()
    def judge(self, states: Tensor, actions: Tensor, outcomes: Tensor) -> Tensor:
        """The elites' mean squared error, a scalar, in variances of the data; chooses them anew.

        Args:
            states: (N, S), held out from what the members learn from.
            actions: (N, A).
            outcomes: (r, s' - s), (N, 1 + S).
        """
        mean = self.mean(states, actions)
        errors = ((outcomes - mean) / self.net.scale).square().mean((1, 2))
        self.order.copy_(errors.argsort(stable=True))
        return errors[self.elites].mean()

    @torch.no_grad()
    def step(self, states: Tensor, actions: Tensor, generator: torch.Generator) -> Imagined:
        """One step from states (B, S) by actions (B, A), each by an elite that is drawn."""
        means, stds = self.net(states, actions)
        size, device = len(states), states.device
        drawn = torch.randint(self.n_elites, (size,), generator=generator, device=device)
        chosen = self.elites[drawn], torch.arange(size, device=device)
        mean, std = means[chosen], stds[chosen]
        noise = torch.randn(mean.shape, generator=generator, device=device, dtype=mean.dtype)
        outcome = mean + std * noise
        spread = torch.linalg.vector_norm(stds, dim=-1).amax(0)
        return Imagined(outcome[:, 0], states + outcome[:, 1:], spread)


def outcomes_of(states: Tensor, rewards: Tensor, next_states: Tensor) -> Tensor:
    """(r, s' - s), (..., 1 + S), of states (..., S) and rewards (...)."""
    return torch.cat([rewards.unsqueeze(-1), next_states - states], dim=-1)
