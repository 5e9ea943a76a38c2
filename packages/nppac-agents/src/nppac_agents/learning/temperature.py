"""The weight alpha of a regulariser: fixed, or a dual variable that holds its mean at a target.

Minimise log(alpha) (target - kappa) over log(alpha): alpha grows while the regulariser kappa is
above its target and shrinks while it is below. N-PPAC: kappa = KL from the prior, the published
target is one nat per action dimension (Rudner et al. 2021, Fig. 10). SAC: kappa = log pi, the
target is the negative of the target entropy (Haarnoja et al. 2018).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Temperature(nn.Module):
    """alpha = exp(log_alpha); learned when ``target`` is given."""

    def __init__(self, alpha: float, target: float | None) -> None:
        super().__init__()
        self.target = target
        self.log_alpha = nn.Parameter(
            torch.tensor(math.log(alpha)), requires_grad=target is not None
        )

    def value(self) -> Tensor:
        """alpha as a detached scalar tensor."""
        return self.log_alpha.detach().exp()

    def loss(self, kappa: Tensor) -> Tensor:
        """The dual loss at regularisers ``kappa`` (B,); defined only for a learned temperature."""
        assert self.target is not None
        return self.log_alpha * (self.target - kappa.detach()).mean()
