"""K conditional variational autoencoders with Gaussian decoders, evaluated in one batched pass.

    encoder   q(z|s, a) = N(m, r^2), a normal over latents z
    decoder   p(a|s, z) = N(mu, sigma^2), a normal over actions with learned mean and std
    bound     log p(a|s) >= E_q [log p(a|s, z)] - KL(q || N(0, I))

Sources: Sohn et al. 2015; as a model of behaviour Zhang et al. 2021 (BRAC+).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from nppac_priors.cvae.networks import LOG_STD_RANGE as LATENT_LOG_STD_RANGE
from nppac_priors.cvae.networks import kl_to_unit
from nppac_priors.networks.perceptrons import StackedNetworks, gaussian_nll

LOG_STD_RANGE = (-5.0, 2.0)
"""Bounds of the decoders' log std: actions on the edge of their space have a density without bound
else (Wu et al. 2019 have the lower one)."""


class CVAEEnsemble(nn.Module):
    """Encoders and decoders of K models that do not interact.

    Every tensor has K as its leading dimension; where one is the same for all models, 1 will do.

    Args:
        encoders: From (s, a) to the means and log stds of Z latents.
        decoders: From (s, z) to the means and log stds of the actions.
        bounded: Whether the decoders' means are in (-1, 1), through a tanh.
    """

    def __init__(
        self, encoders: StackedNetworks, decoders: StackedNetworks, *, bounded: bool
    ) -> None:
        super().__init__()
        self.bounded = bounded
        self.encoder_weights = nn.ParameterList(encoders.weights)
        self.encoder_biases = nn.ParameterList(encoders.biases)
        self.decoder_weights = nn.ParameterList(decoders.weights)
        self.decoder_biases = nn.ParameterList(decoders.biases)

    @classmethod
    def draw(
        cls,
        members: int,
        state_dim: int,
        action_dim: int,
        latent_dim: int,
        hidden: Sequence[int],
        *,
        bounded: bool,
        generator: torch.Generator,
    ) -> Self:
        """K untrained models, weights and biases uniform within 1 / sqrt(inputs), on the CPU."""
        encoder = (state_dim + action_dim, *hidden, 2 * latent_dim)
        decoder = (state_dim + latent_dim, *hidden, 2 * action_dim)
        drawn = (StackedNetworks.draw(members, sizes, generator) for sizes in (encoder, decoder))
        return cls(*drawn, bounded=bounded)

    @property
    def members(self) -> int:
        """K."""
        return len(self.encoder_weights[0])

    @property
    def latent_dim(self) -> int:
        """Z."""
        return self.encoder_weights[-1].shape[-1] // 2

    def encode(self, states: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and std (K, ..., Z) of q(z|s, a) at states (K, ..., S) and actions (K, ..., A)."""
        networks = StackedNetworks(tuple(self.encoder_weights), tuple(self.encoder_biases))
        mean, log_std = _outputs(networks, states, actions).chunk(2, dim=-1)
        return mean, log_std.clamp(*LATENT_LOG_STD_RANGE).exp()

    def decode(self, states: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log std (K, ..., A) of p(a|s, z) at states (K, ..., S), latents (K, ..., Z)."""
        networks = StackedNetworks(tuple(self.decoder_weights), tuple(self.decoder_biases))
        mean, log_std = _outputs(networks, states, latents).chunk(2, dim=-1)
        return mean.tanh() if self.bounded else mean, log_std.clamp(*LOG_STD_RANGE)

    def lower_bound(self, states: Tensor, actions: Tensor, noise: Tensor) -> Tensor:
        """One-sample evidence lower bound of log p(a|s) in nats, (K, ...).

        Args:
            states: (K, ..., S).
            actions: (K, ..., A).
            noise: Standard normal (K, ..., Z), which draws the latent.
        """
        mean, std = self.encode(states, actions)
        decoded = self.decode(states, mean + std * noise)
        return -gaussian_nll(actions, *decoded) - kl_to_unit(mean, std).sum(-1)

    def log_density(self, states: Tensor, actions: Tensor, noise: Tensor) -> Tensor:
        """Importance-weighted estimate of the even mixture's log p(a|s) in nats, (...).

        log 1/(K L) sum_kl p_k(a|s, z_kl) N(z_kl; 0, I) / r_k(z_kl), where half of each model's L
        latents are drawn from q_k(.|s, a) and half from N(0, I), so that r_k is their even mixture
        and no weight is above twice its likelihood: a narrow encoder could leave out a part of the
        latents otherwise. Without bias in the density, below the log-density on average.
        Sources: Burda et al. 2016; Owen and Zhou 2000.

        Args:
            states: (..., S).
            actions: (..., A).
            noise: Standard normal (L, ..., Z), L even.
        """
        states, actions = states[None], actions[None]
        mean, std = (moment.unsqueeze(1) for moment in self.encode(states, actions))
        near, anywhere = noise.chunk(2)
        near = mean + std * near
        latents = torch.cat([near, anywhere.expand(*near.shape)], dim=1)
        likelihood = -gaussian_nll(actions.unsqueeze(1), *self.decode(states.unsqueeze(1), latents))
        ratio = _log_normal(latents, mean, std) - _log_normal(latents)
        weights = likelihood + math.log(2.0) - nn.functional.softplus(ratio)
        return weights.flatten(0, 1).logsumexp(0) - math.log(self.members * len(noise))


def _log_normal(values: Tensor, mean: Tensor | float = 0.0, std: Tensor | None = None) -> Tensor:
    """Log-density of normals, summed over the last dimension, without the term log(2 pi) / 2."""
    if std is None:
        return -0.5 * values.square().sum(-1)
    return -(0.5 * ((values - mean) / std).square() + std.log()).sum(-1)


def _outputs(networks: StackedNetworks, *inputs: Tensor) -> Tensor:
    """What K networks give for the joined inputs, each (K or 1, ..., columns)."""
    count = (networks.count, *[1] * (inputs[0].ndim - 2))
    shape = torch.broadcast_shapes(count, *(part.shape[:-1] for part in inputs))
    joined = torch.cat([part.expand(*shape, -1) for part in inputs], dim=-1)
    return networks.outputs(joined.flatten(1, -2)).unflatten(1, shape[1:])
