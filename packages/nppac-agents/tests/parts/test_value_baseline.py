import torch
from nppac_agents.parts.value_baseline import ValueBaseline


def test_it_sees_bounded_states_and_the_time(generator):
    baseline = ValueBaseline(3, (16,), generator=generator)
    states = torch.randn(5, 3, generator=generator)
    early, late = (baseline(states, torch.full((5,), t)) for t in (0.0, 500.0))
    assert early.shape == (5,)
    assert not torch.equal(early, late)
    far, edge = (baseline(torch.full((1, 3), value), torch.zeros(1)) for value in (1e9, 10.0))
    assert torch.equal(far, edge)


def test_its_inputs_are_those_of_the_source(generator):
    baseline = ValueBaseline(2, (8,), generator=generator)
    seen = []
    baseline.body.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    baseline(torch.tensor([[5.0, -20.0]]), torch.tensor([500.0]))
    torch.testing.assert_close(seen[0], torch.tensor([[0.5, -1.0, 0.5, 0.25, 0.125, 0.0625]]))
