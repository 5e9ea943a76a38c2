"""Time of one N-PPAC update beside one Tianshou SAC update, both with their minibatch sampling.

Both learners have the same networks, batch size and data, in one process, in alternating blocks, so
that the ratio holds when the machine's speed drifts.

    python benchmarks/update.py [--threads 1] [--blocks 10] [--updates 10]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import gymnasium as gym
import numpy as np
import torch
from nppac_agents.data.rollouts import Step
from nppac_agents.methods.nppac import NPPAC
from nppac_agents.spaces import Spaces
from nppac_priors import GaussianPrior
from tianshou.algorithm.modelfree.sac import SAC, SACPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Batch, VectorReplayBuffer
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
from tianshou.utils.torch_utils import policy_within_training_step

ROWS, ENVS = 20_000, 4
SETTINGS = {
    "policy 4x256, critics 2x256, batch 1024, 39 states, 28 actions": (39, 28, 4, 1024),
    "policy 2x256, critics 2x256, batch 256, 17 states, 6 actions": (17, 6, 2, 256),
}


class UnitPrior(GaussianPrior):
    """A standard normal at every state, so that only the learner is timed."""

    device = torch.device("cpu")

    def tensors(self, states):
        shape = (len(states), self.action_dim)
        return torch.zeros(shape), torch.ones(shape)

    def state(self, *, include_factors=False):
        return {}

    def _to(self, device):
        return self


def data(state_dim: int, action_dim: int) -> list[Step]:
    """Random steps of ENVS environments."""
    rng = np.random.default_rng(0)

    def normal(width: int) -> np.ndarray:
        return rng.standard_normal((ENVS, width)).astype(np.float32)

    no = np.zeros(ENVS, dtype=bool)
    return [
        Step(
            normal(state_dim),
            np.tanh(normal(action_dim)),
            rng.random(ENVS).astype(np.float32),
            no,
            no,
            normal(state_dim),
        )
        for _ in range(ROWS // ENVS)
    ]


def nppac_update(spaces: Spaces, depth: int, batch: int, steps: list[Step]) -> Callable[[], object]:
    """One N-PPAC update, sampled KL and automatic temperature, as SAC has one."""
    state_dim, action_dim = spaces.observation.shape[0], spaces.action.shape[0]
    config = NPPAC(
        start="fresh",
        squash=True,
        target_kl=float(action_dim),
        policy_hidden=(256,) * depth,
        batch_size=batch,
    )
    prior = UnitPrior(None, state_dim=state_dim, action_dim=action_dim)
    generator = torch.Generator().manual_seed(0)
    agent = config.build(spaces, prior, None, generator=generator)
    replay = agent.make_replay(ROWS, ENVS, generator)
    for step in steps:
        replay.add(step)
    return lambda: agent.step(replay.sample_transitions(batch))


def sac_update(spaces: Spaces, depth: int, batch: int, steps: list[Step]) -> Callable[[], object]:
    """One update of Tianshou's SAC with automatic temperature."""
    from tianshou.algorithm.modelfree.sac import AutoAlpha

    state_shape, action_shape = spaces.observation.shape, spaces.action.shape
    body = Net(state_shape=state_shape, hidden_sizes=[256] * depth)
    actor = ContinuousActorProbabilistic(
        preprocess_net=body, action_shape=action_shape, unbounded=True, conditioned_sigma=True
    )

    def critic() -> ContinuousCritic:
        net = Net(
            state_shape=state_shape, action_shape=action_shape, hidden_sizes=[256, 256], concat=True
        )
        return ContinuousCritic(preprocess_net=net)

    policy = SACPolicy(actor=actor, action_space=spaces.action)
    adam = AdamOptimizerFactory(lr=3e-4)
    algorithm = SAC(
        policy=policy,
        policy_optim=adam,
        critic=critic(),
        critic_optim=adam,
        critic2=critic(),
        critic2_optim=adam,
        alpha=AutoAlpha(-float(action_shape[0]), 0.0, adam),
    )
    buffer = VectorReplayBuffer(ROWS, ENVS)
    for step in steps:
        buffer.add(Batch(**step._asdict(), info=[{}] * ENVS))

    def update() -> None:
        with policy_within_training_step(policy):
            algorithm.update(buffer=buffer, sample_size=batch)

    return update


def seconds(update: Callable[[], object], times: int) -> float:
    """Mean seconds of one update over a block of ``times``."""
    start = time.perf_counter()
    for _ in range(times):
        update()
    return (time.perf_counter() - start) / times


def main() -> None:
    """Prints, per setting, both medians and the median of the block-wise ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--updates", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name, (state_dim, action_dim, depth, batch) in SETTINGS.items():
        box = gym.spaces.Box
        spaces = Spaces(box(-np.inf, np.inf, (state_dim,)), box(-1.0, 1.0, (action_dim,)))
        steps = data(state_dim, action_dim)
        nppac = nppac_update(spaces, depth, batch, steps)
        sac = sac_update(spaces, depth, batch, steps)
        seconds(nppac, 3), seconds(sac, 3)
        pairs = [
            (seconds(nppac, arguments.updates), seconds(sac, arguments.updates))
            for _ in range(arguments.blocks)
        ]
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{name}: N-PPAC {1e3 * ours:.1f} ms, SAC {1e3 * theirs:.1f} ms, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
