"""Every tensor of an update is on the agent's device: seen on one that computes nothing."""

import pytest
import torch
from method_table import METHODS, ROOM, SMALL, configured
from nppac_agents.data.rollouts import Step
from nppac_agents.experiment.registries import agent_registry

pytestmark = pytest.mark.medium

META = torch.device("meta")


class MetaGenerator(torch.Generator):
    """A generator that says it is on the meta device, where there is none."""

    device = META


class MetaMemory:
    """The memory of a prior of two actions, on the meta device."""

    def __init__(self, prior):
        pass

    def moments(self, states):
        return torch.zeros(len(states), 2, device=META), torch.ones(len(states), 2, device=META)


@pytest.mark.parametrize("kind", METHODS)
def test_an_update_leaves_its_device_for_nothing(kind, spaces, prior, demonstrations, monkeypatch):
    monkeypatch.setattr("nppac_agents.agent.spawn_generator", lambda *_: MetaGenerator())
    monkeypatch.setattr("nppac_agents.agent.ObservedPrior", MetaMemory)
    monkeypatch.setattr(
        "nppac_agents.agent.Agent.moments", lambda agent, states: agent.observed.moments(states)
    )
    config = configured(agent_registry().get(kind), SMALL, METHODS[kind].small)
    given = prior if config.uses_prior else None
    with META:
        agent = config.build(
            spaces, given, demonstrations, device=META, generator=torch.Generator()
        )
    replay = agent.make_replay(ROOM, 2, MetaGenerator())
    states, actions, none = torch.zeros(2, 4).numpy(), torch.zeros(2, 2).numpy(), [False, False]
    for _ in range(2):  # some methods move their policy in every second update alone
        for _ in range(20):
            replay.add(Step(states, actions, [0.0, 0.0], none, none, states))
        losses = agent.learn(agent.phases[-1], replay)
        assert {loss.device for loss in losses.values()} == {META}
