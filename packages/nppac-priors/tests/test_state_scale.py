from __future__ import annotations

import torch
from nppac_priors.state_scale import StateScale


def _states(n: int = 100) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(n, 3, generator=generator) * torch.tensor([1e-3, 1.0, 1e3])
    return states + torch.tensor([5.0, 0.0, -1e4])


def test_is_the_standard_deviation_however_the_states_are_cut() -> None:
    states = _states()
    expected = states.double().std(0, correction=0)
    for sizes in (100, 7, 1, [99, 1]):
        found = StateScale.of(states.split(sizes))
        torch.testing.assert_close(found.scale, expected, rtol=1e-12, atol=0)
        torch.testing.assert_close(found.mean, states.double().mean(0), rtol=1e-12, atol=1e-15)


def test_dead_dimensions_get_no_scale_and_are_reported(caplog) -> None:
    states = _states(20)
    states[:, 1] = 7.3
    states[3, 1] = torch.nextafter(torch.tensor(7.3), torch.tensor(8.0))
    inputs = StateScale.of([states])
    assert inputs.scale[1].item() == 1.0
    assert inputs.spread[1].item() == 0.0
    assert inputs.dead == (1,)
    with caplog.at_level("WARNING"):
        inputs.report_dead("exact-gp")
    assert "exact-gp: state dimensions [1] never change" in caplog.text


def test_a_dimension_that_changes_once_is_alive() -> None:
    states = torch.zeros(1000, 2)
    states[:, 1] = torch.linspace(0, 1, 1000)
    states[999, 0] = 1e-3
    assert StateScale.of(states.split(100)).dead == ()


def test_of_one_state_nothing_is_known_and_nothing_reported(caplog) -> None:
    inputs = StateScale.of([torch.ones(1, 3)])
    assert inputs.scale.tolist() == [1.0, 1.0, 1.0]
    inputs.report_dead("exact-gp")
    assert not caplog.text
