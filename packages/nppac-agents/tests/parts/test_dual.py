import pytest
import torch
from nppac_agents.learning.temperature import Temperature


def test_fixed_temperature_is_not_learned():
    temperature = Temperature(0.3, None)
    assert temperature.value() == pytest.approx(0.3)
    assert not any(p.requires_grad for p in temperature.parameters())


@pytest.mark.parametrize(("kl", "direction"), [(8.0, 1), (2.0, -1)])
def test_dual_raises_alpha_above_the_target_and_lowers_it_below(kl, direction):
    temperature = Temperature(0.3, target=5.0)
    optimizer = torch.optim.SGD(temperature.parameters(), lr=0.01)
    temperature.loss(torch.full((4,), kl)).backward()
    optimizer.step()
    assert (temperature.value().item() - 0.3) * direction > 0


def test_no_gradient_reaches_the_policy_through_the_dual():
    kl = torch.ones(3, requires_grad=True)
    Temperature(0.3, target=5.0).loss(kl).backward()
    assert kl.grad is None
