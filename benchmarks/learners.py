"""Learners for the benchmarks of updates: ours by their kind, and Tianshou's SAC.

All have the same data, batch size and hidden widths of 256 or as the setting says; what else they
have, number of critics and updates of the policy among it, is as their sources say. N-PPAC is there
twice: with a fresh, squashed policy and a learned temperature (the paper's), which is what SAC
computes plus the prior, and with the residual policy that is its default here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from nppac_agents.data.rollouts import Step
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.spaces import Spaces
from nppac_envs import Demonstrations
from nppac_priors import GaussianPrior

ENVS = 50
"""Environments that filled the replay"""
DEMONSTRATED = 1_000
"""Demonstrated transitions, in ten episodes"""

Update = Callable[[], object]


@dataclass(frozen=True)
class Setting:
    """What an update's cost depends on."""

    state_dim: int = 17
    action_dim: int = 6
    batch: int = 256
    depth: int = 2
    """Hidden layers of the policy; critics have two, or the three of their source"""
    width: int = 256
    critics: int | None = None
    """None: as the source of the method says"""
    rows: int = 20_000
    """Transitions in the replay"""

    @property
    def spaces(self) -> Spaces:
        """Unbounded states, actions in [-1, 1]."""
        box = gym.spaces.Box
        return Spaces(box(-np.inf, np.inf, (self.state_dim,)), box(-1.0, 1.0, (self.action_dim,)))


SETTINGS = {
    "2x256, batch 256, 17 states, 6 actions": Setting(),
    "4x256, batch 1024, 39 states, 28 actions": Setting(39, 28, 1024, 4),
}


def paper(setting: Setting) -> dict[str, Any]:
    """The paper's tuned N-PPAC: one sample of the KL, which a learned temperature holds."""
    return {"start": "fresh", "squash": True, "target_kl": float(setting.action_dim)}


OWN: dict[str, tuple[str, Callable[[Setting], dict[str, Any]]]] = {
    "nppac-paper": ("nppac", paper),
    "nppac-residual": ("nppac", lambda _: {}),
} | {kind: (kind, lambda _: {}) for kind in ("sac", "awac", "iql", "td3-bc", "rlpd")}
"""Kind and settings of our learners by name"""


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


def steps(setting: Setting) -> list[Step]:
    """Random steps of ENVS environments, whose episodes do not end."""
    rng = np.random.default_rng(0)

    def normal(width: int) -> np.ndarray:
        return rng.standard_normal((ENVS, width)).astype(np.float32)

    no = np.zeros(ENVS, dtype=bool)
    return [
        Step(
            normal(setting.state_dim),
            np.tanh(normal(setting.action_dim)),
            rng.random(ENVS).astype(np.float32),
            no,
            no,
            normal(setting.state_dim),
        )
        for _ in range(math.ceil(setting.rows / ENVS))
    ]


def demonstrations(setting: Setting) -> Demonstrations:
    """Ten random episodes."""
    rng = np.random.default_rng(1)
    return Demonstrations(
        states=rng.standard_normal((DEMONSTRATED, setting.state_dim)).astype(np.float32),
        actions=rng.uniform(-1, 1, (DEMONSTRATED, setting.action_dim)).astype(np.float32),
        final_states=rng.standard_normal((10, setting.state_dim)).astype(np.float32),
        episode_lengths=np.full(10, DEMONSTRATED // 10),
        rewards=rng.random(DEMONSTRATED).astype(np.float32),
    )


def own(name: str, setting: Setting) -> Update:
    """One update of ours, with its minibatch."""
    kind, settings = OWN[name]
    method = agent_registry().get(kind)
    fields = {
        "policy_hidden": (setting.width,) * setting.depth,
        "critic_hidden": (setting.width,) * 2,
        "value_hidden": (setting.width,) * 2,
        "batch_size": setting.batch,
        "n_critics": setting.critics,
    } | settings(setting)
    known = {k: v for k, v in fields.items() if k in method.model_fields and v is not None}
    config = method(**known)
    prior = UnitPrior(None, state_dim=setting.state_dim, action_dim=setting.action_dim)
    generator = torch.Generator().manual_seed(0)
    agent = config.build(
        setting.spaces,
        prior if config.uses_prior else None,
        demonstrations(setting),
        generator=generator,
    )
    replay = agent.make_replay(setting.rows, ENVS, generator)
    for step in steps(setting):
        replay.add(step)
    return lambda: agent.step(replay.sample_transitions(setting.batch))


def tianshou_sac(setting: Setting) -> Update:
    """One update of Tianshou's SAC with automatic temperature."""
    from tianshou.algorithm.modelfree.sac import SAC, AutoAlpha, SACPolicy
    from tianshou.algorithm.optim import AdamOptimizerFactory
    from tianshou.data import Batch, VectorReplayBuffer
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
    from tianshou.utils.torch_utils import policy_within_training_step

    spaces = setting.spaces
    state_shape, action_shape = spaces.observation.shape, spaces.action.shape
    body = Net(state_shape=state_shape, hidden_sizes=[setting.width] * setting.depth)
    actor = ContinuousActorProbabilistic(
        preprocess_net=body, action_shape=action_shape, unbounded=True, conditioned_sigma=True
    )

    def critic() -> ContinuousCritic:
        widths = [setting.width] * 2
        net = Net(
            state_shape=state_shape, action_shape=action_shape, hidden_sizes=widths, concat=True
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
        alpha=AutoAlpha(-float(setting.action_dim), 0.0, adam),
    )
    buffer = VectorReplayBuffer(setting.rows, ENVS)
    for step in steps(setting):
        buffer.add(Batch(**step._asdict(), info=[{}] * ENVS))

    def update() -> None:
        with policy_within_training_step(policy):
            algorithm.update(buffer=buffer, sample_size=setting.batch)

    return update
