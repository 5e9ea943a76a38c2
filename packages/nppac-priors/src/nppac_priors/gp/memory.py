"""Refusing, before anything is allocated, what cannot fit into memory."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from nppac_priors.errors import DataError

_CGROUP = Path("/sys/fs/cgroup")


def require_memory(need: int, device: torch.device, what: str, advice: str) -> None:
    """Refuse a need that is larger than what is free.

    Args:
        need: Bytes.
        device: Where they would be allocated.
        what: Begins the message, such as `"exact-gp: 20000 states"`.
        advice: Ends it.

    Raises:
        DataError: With both figures in GiB.
    """
    free = free_memory(device)
    if need > free:
        raise DataError(
            f"{what} need {need / 2**30:.1f} GiB on {device}, {free / 2**30:.1f} GiB are free; "
            f"{advice}"
        )


def free_memory(device: torch.device) -> float:
    """Bytes that an allocation can hope for; infinite where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return min(_free_of_the_machine(), _free_of_the_container())


def _free_of_the_machine() -> float:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return 1024 * next(int(x.split()[1]) for x in lines if x.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return math.inf


def _free_of_the_container() -> float:
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = (_CGROUP / "memory.current").read_text(encoding="ascii").strip()
        stat = (_CGROUP / "memory.stat").read_text(encoding="ascii").split()
    except OSError:
        return math.inf
    if not limit.isdigit():
        return math.inf
    reclaimable = int(stat[stat.index("inactive_file") + 1]) if "inactive_file" in stat else 0
    return max(0, int(limit) - int(used) + reclaimable)
