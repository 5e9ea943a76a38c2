"""A distribution of somebody else's: an environment, a prior and an agent with faults to choose."""

from __future__ import annotations

import sys
from typing import Any, Literal

import nppac_envs
import nppac_priors
import numpy as np
import pluggy
from nppac_agents.methods.sac import SAC
from nppac_agents.phase import Phase
from nppac_envs import EnvConfig
from nppac_priors import PriorConfig

agent_hookimpl = pluggy.HookimplMarker("nppac.agents")


class LabConfig(EnvConfig):
    """A point on a line; the fault comes at step 3 of the second episode of a kind."""

    kind: Literal["lab"] = "lab"
    horizon: int = 5
    fault: str = ""
    during: Literal["training", "evaluation"] = "training"

    @property
    def has_success(self) -> bool:
        return True

    def make(self, *, render_mode: str | None = None) -> Any:
        import gymnasium
        from gymnasium.wrappers import TimeLimit

        if self.fault == "make":
            sys.exit(0)
        config = self

        class Lab(gymnasium.Env):
            observation_space: Any = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
            action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
            resets = 0

            def reset(self, *, seed=None, options=None):
                super().reset(seed=seed)
                self.resets, self.steps, self.state = self.resets + 1, 0, np.zeros(2, np.float32)
                evaluated = seed is not None and 1000 <= seed < 1010
                self.faulty = self.resets == 2 and evaluated == (config.during == "evaluation")
                return self.state, {}

            def step(self, action):
                self.steps += 1
                self.state = (self.state + action).astype(np.float32)
                outcome = [self.state, 0.0, False, False, {"success": False}]
                if self.faulty and self.steps == 3:
                    FAULTS[config.fault](outcome)
                return tuple(outcome)

            def get_state(self):
                return {"state": self.state, "steps": np.array([self.steps, self.resets])}

            def set_state(self, state):
                if config.fault == "deaf":
                    return
                self.state, self.faulty = state["state"].copy(), False
                self.steps, self.resets = (int(n) for n in state["steps"])

        lab = Lab()
        if self.fault == "space":
            lab.observation_space = gymnasium.spaces.Box(0, 255, (8, 8, 3), np.uint8)
        return lab if self.fault == "endless" else TimeLimit(lab, self.horizon)


FAULTS: dict[str, Any] = {
    "": lambda outcome: None,
    "endless": lambda outcome: None,
    "deaf": lambda outcome: None,
    "nan observation": lambda outcome: outcome.__setitem__(0, outcome[0] * np.nan),
    "nan reward": lambda outcome: outcome.__setitem__(1, np.nan),
    "no reward": lambda outcome: outcome.__setitem__(1, None),
    "shape": lambda outcome: outcome.__setitem__(0, outcome[0][:1]),
    "error": lambda outcome: outcome[7],
    "exit": lambda outcome: sys.exit(0),
}


class LabPriorConfig(PriorConfig):
    """A constant; or one column of means, or an exit."""

    kind: Literal["lab-prior"] = "lab-prior"
    fault: str = ""

    def _fit(self, states: Any, actions: Any, **_: Any) -> Any:
        if self.fault == "exit":
            sys.exit(0)
        return [0.0] if self.fault == "list" else self._constant(states.shape[1], actions.shape[1])

    def from_state(self, tensors: Any, *, device: Any = "cpu") -> Any:
        return self._constant(*tensors["dimensions"].tolist())

    def _constant(self, state_dim: int, action_dim: int) -> Any:
        import torch
        from nppac_priors import GaussianPrior

        class Constant(GaussianPrior):
            device: Any = torch.device("cpu")

            def state(self, *, include_factors=False):
                return {"dimensions": torch.tensor([self.state_dim, self.action_dim])}

            def _to(self, device):
                return self

            def tensors(self, states):
                mean = torch.zeros(len(states), self.action_dim)
                if self.config.fault == "late column" and len(states) != 16:
                    return mean[:, :1].repeat(1, 2), mean + 1.0
                return mean, mean + 1.0

        return Constant(self, state_dim=state_dim, action_dim=action_dim)


class LabAgent(SAC):
    """SAC, with a fault in one of the functions of a method."""

    kind: Literal["lab-agent"] = "lab-agent"
    fault: str = ""

    def build(self, *arguments: Any, **options: Any) -> Any:
        if self.fault == "exit in build":
            sys.exit(0)
        return None if self.fault == "none" else super().build(*arguments, **options)

    def parts(self, agent: Any, generator: Any) -> Any:
        parts = super().parts(agent, generator)
        if self.fault == "parts":
            return list(parts)
        return parts._replace(policy=parts.policy.net) if self.fault == "network" else parts

    def phases(self, agent: Any) -> Any:
        phases: dict[str, Any] = {"phases": "online", "endless phase": [Phase("offline")]}
        return phases.get(self.fault) or super().phases(agent)

    def update(self, agent: Any, batch: Any) -> Any:
        if self.fault == "exit in update":
            sys.exit(0)
        if self.fault == "error in update":
            return batch.rewardz
        losses: dict[str, Any] = {"losses": {"loss": 1.0}, "no losses": None}
        return losses[self.fault] if self.fault in losses else super().update(agent, batch)

    def act(self, agent: Any, states: Any, *, deterministic: bool) -> Any:
        actions = super().act(agent, states, deterministic=deterministic)
        return actions[:, 0] if self.fault == "actions" else actions


@nppac_envs.hookimpl
def nppac_env_configs() -> list[type]:
    return [LabConfig]


@nppac_priors.hookimpl
def nppac_prior_configs() -> list[type]:
    return [LabPriorConfig]


@agent_hookimpl
def nppac_agent_configs() -> list[type]:
    return [LabAgent]
