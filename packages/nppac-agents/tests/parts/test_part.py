import copy

import pytest
import torch
from nppac_agents.parts.part import Part
from torch import nn


def linear(generator, **options):
    net = nn.Linear(3, 2)
    for parameter in net.parameters():
        parameter.data.normal_(generator=generator)
    return Part(net, 1e-2, **options)


def test_a_step_is_adams_and_reports_the_gradients_norm(generator):
    part = linear(generator)
    reference = nn.Linear(3, 2)
    reference.load_state_dict(part.net.state_dict())
    optimizer = torch.optim.Adam(reference.parameters(), lr=1e-2)
    inputs = torch.randn(5, 3, generator=generator)
    for _ in range(3):
        optimizer.zero_grad()
        reference(inputs).square().mean().backward()
        expected = torch.cat([p.grad.flatten() for p in reference.parameters()]).norm()
        optimizer.step()
        norm = part.descend(part(inputs).square().mean())
        torch.testing.assert_close(norm, expected)
    for ours, theirs in zip(part.net.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_long_gradient_is_clipped_to_its_norm_and_a_short_one_is_not(generator, monkeypatch):
    part, applied = linear(generator, clip=0.5), []
    monkeypatch.setattr(part.optimizer, "descend", applied.append)
    loss = part(torch.ones(1, 3)).sum()
    gradients = torch.autograd.grad(loss, part.weights, retain_graph=True)
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    torch.testing.assert_close(part.descend(loss), norm)
    torch.testing.assert_close(applied[0].norm(), torch.tensor(0.5))
    small = 1e-3 * part(torch.ones(1, 3)).sum()
    norm = part.descend(small)
    torch.testing.assert_close(applied[1].norm(), norm)


@pytest.mark.parametrize(
    "change", [lambda part: part.double(), lambda part: part.float(), copy.deepcopy]
)
def test_parameters_stay_views_of_what_the_optimizer_and_the_slow_copy_move(generator, change):
    part = change(linear(generator, slow=True))
    part.descend(part(torch.ones(1, 3).to(part.flat)).sum())
    assert torch.equal(torch.cat([p.detach().flatten() for p in part.net.parameters()]), part.flat)
    part.follow(1.0)
    for slow, net in zip(part.slow.parameters(), part.net.parameters(), strict=True):
        assert torch.equal(slow, net)
    part.load_state_dict({name: value + 1 for name, value in part.state_dict().items()})
    assert torch.equal(part.flat[-1], part.net.bias[-1])


def test_the_slow_copy_moves_the_given_fraction_and_has_no_gradient(generator):
    part = linear(generator, slow=True)
    assert not any(p.requires_grad for p in part.slow.parameters())
    before = [p.clone() for p in part.slow.parameters()]
    part.descend(part(torch.ones(1, 3)).sum())
    for old, slow in zip(before, part.slow.parameters(), strict=True):
        assert torch.equal(old, slow), "it moves by following only"
    part.follow(0.25)
    for old, slow, net in zip(before, part.slow.parameters(), part.net.parameters(), strict=True):
        torch.testing.assert_close(slow, 0.75 * old + 0.25 * net.detach())


def test_only_the_optimised_piece_moves(generator):
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    part = Part(net, 1e-2, optimised=net[1])
    frozen = net[0].weight.clone()
    part.descend(part(torch.ones(1, 3)).sum())
    assert torch.equal(net[0].weight, frozen)


def test_weight_decay_pulls_to_zero(generator):
    part = linear(generator, decay=1.0)
    before = sum(p.square().sum() for p in part.net.parameters())
    for _ in range(10):
        part.descend(0.0 * part(torch.ones(1, 3)).sum())
    assert sum(p.square().sum() for p in part.net.parameters()) < before


def test_the_optimizers_state_comes_back(generator):
    part, other = linear(generator), linear(generator)
    part.descend(part(torch.ones(1, 3)).square().sum())
    other.net.load_state_dict(part.net.state_dict())
    other.load_optimizer_state(part.optimizer_state())
    for one in (part, other):
        one.descend(one(torch.ones(1, 3)).square().sum())
    for left, right in zip(part.net.parameters(), other.net.parameters(), strict=True):
        assert torch.equal(left, right)


def test_moments_of_every_parameter_as_earlier_versions_kept_them_are_read(generator):
    part = linear(generator)
    reference = nn.Linear(3, 2)
    reference.load_state_dict(part.net.state_dict())
    optimizer = torch.optim.Adam(reference.parameters(), lr=1e-2, fused=True)
    reference(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()
    part.net.load_state_dict(reference.state_dict())
    slots = optimizer.state_dict()["state"]
    part.load_optimizer_state(
        {f"{i}.{name}": value for i, slot in slots.items() for name, value in slot.items()}
    )
    optimizer.zero_grad()
    reference(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()
    part.descend(part(torch.ones(1, 3)).square().sum())
    for ours, theirs in zip(part.net.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_with_momentum_it_descends_plainly():
    """w <- w - rate m, m <- momentum m + gradient; and the momentum is in its state."""
    part = Part(nn.Linear(1, 1, bias=False), 0.1, momentum=0.9)
    part.net.weight.data.fill_(1.0)
    for expected in (1.0 - 0.1 * 2.0, 0.8 - 0.1 * (0.9 * 2.0 + 2.0)):
        part.descend(2.0 * part.net.weight.sum())
        assert part.net.weight.item() == pytest.approx(expected)
    other = Part(nn.Linear(1, 1, bias=False), 0.1, momentum=0.9)
    other.load_state_dict(part.state_dict())
    other.load_optimizer_state(part.optimizer_state())
    for each in (part, other):
        each.descend(2.0 * each.net.weight.sum())
    assert torch.equal(other.net.weight, part.net.weight)
