"""Where an experiment computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nppac_priors.errors import ConfigError

if TYPE_CHECKING:
    import torch


def resolve_device(name: str) -> torch.device:
    """The device for `"auto"`, `"cpu"` or `"cuda"`.

    Raises:
        ConfigError: cuda is asked for and there is none.
    """
    import torch

    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError("device: 'cuda' is not available here; use 'auto' or 'cpu'")
    return torch.device("cuda" if name != "cpu" and available else "cpu")
