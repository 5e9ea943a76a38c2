"""Devices by name, refused early where they cannot be used."""

from __future__ import annotations

import torch

from nppac_priors.errors import DeviceError


def usable_device(device: str | torch.device) -> torch.device:
    """The device, if a tensor can be made on it.

    Raises:
        DeviceError: It does not exist here, or PyTorch has not been built for it.
    """
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        available = f"cuda:0 to cuda:{torch.cuda.device_count() - 1}"
        known = f"cpu, {available}" if torch.cuda.is_available() else "cpu"
        raise DeviceError(
            f"device {str(device)!r} cannot be used: {reason}; here: {known}"
        ) from None


def moved(tensor: torch.Tensor, device: str | torch.device) -> torch.Tensor:
    """A tensor on a device.

    Raises:
        DeviceError: The device cannot be used.
    """
    try:
        return tensor.to(device)
    except (RuntimeError, AssertionError):
        usable_device(device)
        raise
