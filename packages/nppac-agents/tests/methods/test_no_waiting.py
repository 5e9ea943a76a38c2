"""No update makes the host wait for the device; seen without one."""

import pytest
import torch
from method_table import METHODS, ROOM
from no_waiting import HostWaits, no_waiting
from nppac_agents.data.rollouts import Step

pytestmark = pytest.mark.medium


@pytest.mark.parametrize("kind", METHODS)
def test_an_update_with_its_minibatch_reads_nothing(build, kind):
    agent = build(kind, **METHODS[kind].small)
    agent.prepare()
    replay = agent.make_replay(ROOM, 2, torch.Generator().manual_seed(0))
    for _ in range(2):  # the first makes what is kept
        fill(replay, 20)
        agent.learn(agent.phases[-1], replay)
    for _ in range(2):  # some methods move their policy in every second one alone
        fill(replay, 20)
        with no_waiting():
            agent.learn(agent.phases[-1], replay)


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x.sum().item(),
        lambda x: float(x[0]),
        lambda x: bool((x > 0).all()),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: x.tolist(),
        lambda x: x.cpu().numpy(),
    ],
)
def test_what_reads_is_refused(read):
    with pytest.raises(HostWaits), no_waiting():
        read(torch.ones(3))


def fill(replay, steps):
    generator = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(*shape, generator=generator).numpy()

    for _ in range(steps):
        no = normal(2) > 9
        actions = normal(2, 2).clip(-0.9, 0.9)
        replay.add(Step(normal(2, 4), actions, normal(2), no, no, normal(2, 4)))
