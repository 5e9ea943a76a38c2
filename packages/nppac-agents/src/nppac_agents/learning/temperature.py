"""The weight alpha of the KL term: fixed, or a dual variable that holds the KL at a target.

Dual (paper, Fig. 10): minimise -log(alpha) (target - KL) over log(alpha), so that alpha grows while
the policy is further from the prior than ``target_kl`` nats and shrinks while it is closer. The
published target is one nat per action dimension.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Temperature(nn.Module):
    """alpha = exp(log_alpha); learned when ``target_kl`` is given."""

    def __init__(self, alpha: float, target_kl: float | None) -> None:
        super().__init__()
        self.target_kl = target_kl
        self.log_alpha = nn.Parameter(
            torch.tensor(math.log(alpha)), requires_grad=target_kl is not None
        )

    def value(self) -> Tensor:
        """Alpha as a detached scalar tensor."""
        return self.log_alpha.detach().exp()

    def loss(self, kl: Tensor) -> Tensor:
        """The dual loss at divergences ``kl`` (B,); defined only for a learned temperature."""
        assert self.target_kl is not None
        return self.log_alpha * (self.target_kl - kl.detach()).mean()
