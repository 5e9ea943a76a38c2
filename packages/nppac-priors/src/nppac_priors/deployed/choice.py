"""The candidate action that a critic values highest (Kumar et al. 2019; Fujimoto et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nppac_priors.deployed.actor import Actor, Normal
from nppac_priors.deployed.network import Shapes, network, network_shapes
from nppac_priors.deployed.spec import ChoiceSpec
from nppac_priors.errors import PolicyFileError

CANDIDATES, PERTURBATION, CRITIC = "candidates/", "perturbation/", "critic/"
"""Before the names of each network's tensors."""


class Choice(Actor):
    """What `ChoiceSpec` describes; the rows (N, A or latents) of `noise` make N candidates."""

    spec: ChoiceSpec

    def shapes(self, tensors: Mapping[str, Tensor], state_dim: int, action_dim: int) -> Shapes:
        """Of the noise and the networks."""
        spec, noise = self.spec, tensors.get("noise")
        if noise is None or noise.ndim != 2 or not noise.numel():
            raise PolicyFileError("policy: 'noise' has to be a matrix, of a row for a candidate")
        drawn = spec.log_range is not None
        width, latents = (2 * action_dim, 0) if drawn else (action_dim, noise.shape[1])
        wanted: Shapes = {"noise": (len(noise), action_dim if drawn else latents)}
        wanted |= network_shapes(
            spec.candidates, tensors, state_dim, width, beside=latents, prefix=CANDIDATES
        )
        wanted |= network_shapes(
            spec.critic, tensors, state_dim, 1, beside=action_dim, prefix=CRITIC
        )
        if spec.perturbation is None:
            return wanted
        return wanted | network_shapes(
            spec.perturbation,
            tensors,
            state_dim,
            action_dim,
            beside=action_dim,
            prefix=PERTURBATION,
        )

    def __call__(
        self, states: Tensor, prior_mean: Tensor | None = None, prior_std: Tensor | None = None
    ) -> Normal:
        """The best candidate at states (B, S)."""
        rows = states.expand(len(self.tensors["noise"]), *states.shape)
        actions = self._candidates(states, rows)
        values = network(self.spec.critic, self.tensors, rows, actions, prefix=CRITIC)
        best = values.argmax(0, keepdim=True).expand(1, *actions.shape[1:])
        action = actions.gather(0, best)[0]
        return Normal(action, torch.zeros_like(action), False)

    def _candidates(self, states: Tensor, rows: Tensor) -> Tensor:
        """(N, B, A) at states (B, S), which are also there N times."""
        spec, noise = self.spec, self.tensors["noise"][:, None]
        if spec.log_range is None:
            latents = noise.expand(*rows.shape[:-1], -1)
            raw = network(spec.candidates, self.tensors, rows, latents, prefix=CANDIDATES)
        else:
            outputs = network(spec.candidates, self.tensors, states, prefix=CANDIDATES)
            mean, log_std = outputs.chunk(2, dim=-1)
            raw = mean + log_std.clamp(*spec.log_range).exp() * noise
        actions = raw.tanh()
        if spec.perturbation is None:
            return actions
        moves = network(spec.perturbation, self.tensors, rows, actions, prefix=PERTURBATION)
        return (actions + spec.reach * moves.tanh()).clamp(-1.0, 1.0)
