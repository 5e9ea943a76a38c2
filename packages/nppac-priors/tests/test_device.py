from __future__ import annotations

import pytest
import torch
from nppac_priors.device import moved, usable_device
from nppac_priors.errors import DeviceError


def test_the_cpu_is_usable() -> None:
    assert usable_device("cpu") == torch.device("cpu")
    assert moved(torch.ones(2), "cpu").device.type == "cpu"


@pytest.mark.parametrize("device", ["no-such-device", "cuda:99", "cpu:x"])
def test_what_is_not_there_is_named_in_one_line(device) -> None:
    for use in (usable_device, lambda name: moved(torch.ones(2), name)):
        with pytest.raises(
            DeviceError, match=f"device '{device}' cannot be used: .*; here: cpu"
        ) as e:
            use(device)
        assert "\n" not in str(e.value)


def test_other_faults_of_a_move_stay_what_they_are() -> None:
    class Full(torch.Tensor):
        def to(self, *_: object) -> torch.Tensor:
            raise torch.OutOfMemoryError("no memory left")

    with pytest.raises(torch.OutOfMemoryError):
        moved(torch.ones(2).as_subclass(Full), "cpu")
