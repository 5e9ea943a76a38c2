from __future__ import annotations

import math

import pytest
import torch
from nppac_priors.errors import DataError
from nppac_priors.gp import memory
from nppac_priors.gp.memory import free_memory, require_memory

CPU = torch.device("cpu")


def test_free_memory_is_positive() -> None:
    assert free_memory(CPU) > 2**20


def test_a_need_beyond_what_is_free_is_refused_with_both_figures(monkeypatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: 3 * 2**30)
    require_memory(3 * 2**30, CPU, "x", "y")
    with pytest.raises(DataError) as error:
        require_memory(4 * 2**30, CPU, "a-gp: 9 states", "take fewer")
    assert str(error.value) == "a-gp: 9 states need 4.0 GiB on cpu, 3.0 GiB are free; take fewer"


def test_the_limit_of_a_container_counts(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    outside = free_memory(CPU)
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("2000000\n")
    (tmp_path / "memory.stat").write_text("anon 1500000\ninactive_file 400000\n")
    assert free_memory(CPU) == 1_400_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(CPU) == pytest.approx(outside, rel=0.5)


def test_a_system_that_does_not_say_has_no_limit(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(memory, "_free_of_the_machine", lambda: math.inf)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert free_memory(CPU) == math.inf
