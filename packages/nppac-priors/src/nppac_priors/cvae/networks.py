"""The two networks of a conditional variational autoencoder of actions.

    encoder   q(z|s, a), a normal over latents z
    decoder   (s, z) to an action before its tanh

Sources: Sohn et al. 2015; as a model of behaviour Fujimoto et al. 2019 (BCQ) and Kumar et al. 2019
(BEAR).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

LOG_STD_RANGE = (-4.0, 15.0)
"""Bounds of the latents' log standard deviation, of the released codes."""


class CVAE(nn.Module):
    """Encoder and decoder; weights and biases start uniform within 1 / sqrt(inputs).

    Args:
        state_dim: S.
        action_dim: A.
        latent_dim: Z.
        hidden: widths of both networks.
        inputs: the layer that states go through first.
        generator: of the initial weights, on the CPU.

    Attributes:
        latent_dim: Z.
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        latent_dim: int,
        hidden: Sequence[int],
        *,
        inputs: nn.Module | None = None,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.inputs = inputs or nn.Identity()
        self.encoder = _perceptron((state_dim + action_dim, *hidden, 2 * latent_dim), generator)
        self.decoder = _perceptron((state_dim + latent_dim, *hidden, action_dim), generator)

    def encode(self, states: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (..., Z) of q(z|s, a) at (..., S) and (..., A)."""
        pairs = torch.cat([self.inputs(states), actions], dim=-1)
        mean, log_std = self.encoder(pairs).chunk(2, dim=-1)
        return mean, log_std.clamp(*LOG_STD_RANGE).exp()

    def decode(self, states: Tensor, latents: Tensor) -> Tensor:
        """Actions before their tanh (..., A) at states (..., S) and latents (..., Z)."""
        return self.decoder(torch.cat([self.inputs(states), latents], dim=-1))

    def reconstruct(
        self, states: Tensor, actions: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """What one latent z ~ q(z|s, a) makes of actions (B, A), and KL(q || N(0, I)) (B, Z)."""
        mean, std = self.encode(states, actions)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        return self.decode(states, mean + std * noise).tanh(), kl_to_unit(mean, std)


def kl_to_unit(mean: Tensor, std: Tensor) -> Tensor:
    """KL divergence of normals from N(0, 1) in nats, each dimension for itself."""
    return 0.5 * (mean.square() + std.square() - 1.0) - std.log()


def _perceptron(sizes: Sequence[int], generator: torch.Generator) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fans in itertools.pairwise(sizes):
        linear = nn.Linear(*fans)
        bound = 1.0 / math.sqrt(linear.in_features)
        for parameter in linear.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
