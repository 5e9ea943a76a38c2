import torch
from nppac_agents.parts.perturbation import Perturbation
from nppac_agents.parts.standardiser import Standardiser


def moving(reach):
    generator = torch.Generator().manual_seed(0)
    net = Perturbation(
        3, 2, (16,), reach=reach, standardiser=Standardiser(3), generator=generator
    ).double()
    for weight in net.parameters():
        weight.data.normal_(0, 3.0, generator=generator)
    return net


def drawn(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_actions_move_no_farther_than_its_reach_and_stay_within_bounds():
    states, actions = drawn(200, 3), drawn(200, 2, seed=2).tanh()
    moves = moving(0.1)(states, actions) - actions
    assert 0.09 < moves.abs().max() <= 0.1 + 1e-12
    edge = moving(0.5)(states, actions.sign())
    assert edge.abs().max() <= 1.0
    assert torch.equal(moving(0.0)(states, actions), actions)


def test_many_actions_a_state_are_moved_as_each_alone():
    states, actions = drawn(5, 3), drawn(4, 5, 2, seed=2).tanh()
    net = moving(0.1)
    torch.testing.assert_close(net(states, actions), torch.stack([net(states, a) for a in actions]))


def test_an_untrained_one_is_close_to_the_identity():
    generator = torch.Generator().manual_seed(0)
    net = Perturbation(3, 2, (16,), reach=0.05, standardiser=Standardiser(3), generator=generator)
    states, actions = drawn(50, 3).float(), drawn(50, 2, seed=2).float().tanh()
    torch.testing.assert_close(net(states, actions), actions, rtol=0, atol=1e-3)
