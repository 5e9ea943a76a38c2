"""The one agent: a Tianshou algorithm that holds a method's parts and everything they learn from.

`step(batch)` is the update, a function on tensors, and `act(states)` the policy; both are the
method's. `nppac-run` calls them directly; Tianshou's trainers reach them through `shells`,
which only convert containers. `state()` walks the parts, so that nothing
that learns can be left out of a checkpoint.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from nppac_envs import Demonstrations
from nppac_priors import GaussianPrior, Prior
from tianshou.algorithm.algorithm_base import Algorithm, TrainingStats
from torch import Tensor, nn

from nppac_agents.data.demonstrated import demonstrated_rows
from nppac_agents.data.hindsight import Hindsight
from nppac_agents.data.layout import Layout
from nppac_agents.data.observed_prior import ObservedPrior
from nppac_agents.data.replay import TensorReplay
from nppac_agents.data.transitions import Transitions
from nppac_agents.method_contract import (
    checked_actions,
    checked_losses,
    checked_parts,
    checked_phases,
)
from nppac_agents.parts.tensors import as_tensor, below, spawn_generator
from nppac_agents.phase import Losses, Phase
from nppac_agents.requirements import require_room
from nppac_agents.spaces import Spaces
from nppac_agents.tianshou_adapter import ActingPolicy, UpdateStats, transitions_of

if TYPE_CHECKING:
    from nppac_agents.methods.base import Method

STATES_ON_DATA = 500
"""Demonstrated states, evenly spaced, from which the prior's usual std is taken"""


class Agent(Algorithm):
    """A method at work; make it with `Method.build`.

    Attributes:
        method: the equations and hyper-parameters.
        spaces: of the environment.
        prior: the behavioural prior, whatever its distribution; None without one.
        given: the one it was made with, where that has been replaced.
        observed: its memory along rollouts, where it has a mean and a standard deviation.
        goal_shares: shares of a minibatch with other goals; None if all keep theirs.
        demonstrations: as they were given; None without.
        parts: what learns, as the method names it.
        acting: the generator of the policy's noise.
        noise: the generator of the losses' noise.
        updates: calls of `step` so far.
        phases: the stretches of learning, in order.
    """

    def __init__(
        self,
        method: Method,
        spaces: Spaces,
        prior: Prior | None,
        demonstrations: Demonstrations | None,
        *,
        device: str | torch.device,
        generator: torch.Generator,
    ) -> None:
        super().__init__(policy=ActingPolicy(spaces, self.act))
        self.method = method
        self.spaces = spaces
        self.prior = self.given = prior
        self.observed = ObservedPrior(prior) if isinstance(prior, GaussianPrior) else None
        self.demonstrations = demonstrations
        self.device = torch.device(device)
        prior_dim = spaces.action_dim if self.observed is not None else 0
        self.goal_shares = method.goal_shares()
        columns = method.columns if self.goal_shares is None else (*method.columns, "steps_left")
        self.layout = Layout(
            spaces.state_dim, spaces.action_dim, prior_dim, method.discounting(), columns
        )
        self.acting = spawn_generator(generator, device)
        self.noise = spawn_generator(generator, device)
        self.parts = checked_parts(method.parts(self, generator), method)
        self.learned = nn.ModuleDict(self.parts._asdict()).to(device)
        self._optimizers += [Algorithm.Optimizer(p.optimizer, p.net) for p in self.parts]
        self.updates = 0
        self.phases = checked_phases(method.phases(self), method)

    def step(self, batch: Transitions) -> Losses:
        """One update of the method; the losses are without gradient."""
        losses = checked_losses(self.method.update(self, batch), self.method)
        self.updates += 1
        return losses

    @torch.no_grad()
    def act(self, states: np.ndarray, *, deterministic: bool) -> np.ndarray:
        """Raw (not clipped) actions (B, A) at states (B, S)."""
        inputs = as_tensor(states, self.device)
        return self._checked(self.method.act(self, inputs, deterministic=deterministic), states)

    @torch.no_grad()
    def explore(self, states: np.ndarray, modes: np.ndarray) -> np.ndarray:
        """Raw actions (B, A) of training: samples, where `modes` (B,) says it modes."""
        inputs = as_tensor(states, self.device)
        which = torch.from_numpy(modes).to(self.device)
        return self._checked(self.method.explore(self, inputs, which), states)

    def _checked(self, actions: Tensor, states: np.ndarray) -> np.ndarray:
        shape = (len(states), self.spaces.action_dim)
        return checked_actions(actions, self.method, shape).cpu().numpy()

    def learn(self, phase: Phase, replay: TensorReplay | None) -> Losses:
        """One update of a phase that has updates; one that prepares may need no replay."""
        assert phase.update is not None
        return checked_losses(phase.update(self, phase.batch(self, replay)), self.method)

    def prepare(self) -> None:
        """Make the starting policy; plain Tianshou scripts call it before they train."""
        for phase in self.phases:
            for _ in range((phase.length or 0) if phase.prepares else 0):
                self.learn(phase, None)

    # What it learns from.

    @functools.cached_property
    def demonstrated(self) -> Tensor:
        """All demonstrated transitions as rows of the replay, (N, width)."""
        assert self.demonstrations is not None
        return demonstrated_rows(self.demonstrations, self.layout, self.observed, self.device)

    def draw_demonstrated(self, size: int) -> Transitions:
        """Demonstrated transitions, drawn with replacement."""
        rows = torch.randint(
            len(self.demonstrated), (size,), generator=self.noise, device=self.device
        )
        return self.layout.unpack(self.demonstrated[rows])

    def moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, A) of a Gaussian prior at states (B, S)."""
        assert isinstance(self.prior, GaussianPrior)
        return self.prior.moments(states)

    @functools.cached_property
    def std_on_data(self) -> Tensor:
        """Median std (A,) of a Gaussian prior over the states that it was fitted to."""
        return self.usual_std(self.demonstrated_states(self.device))

    def usual_std(self, states: Tensor) -> Tensor:
        """Median std (A,) of a Gaussian prior over states (N, S), some hundreds of them."""
        every = max(len(states) // STATES_ON_DATA, 1)
        return self.moments(states[::every])[1].median(0).values

    def replace_prior(self, prior: Prior) -> None:
        """Learn with another Gaussian prior from now on; a replay has to observe it anew."""
        assert isinstance(prior, GaussianPrior)
        assert self.observed is not None
        self.prior = prior
        self.observed.replace(prior)
        for known in ("demonstrated", "std_on_data"):
            vars(self).pop(known, None)

    def demonstrated_states(self, device: str | torch.device) -> Tensor:
        """The states of the demonstrations, (N, S)."""
        assert self.demonstrations is not None
        return as_tensor(self.demonstrations.states, device)

    @property
    def consumed_steps(self) -> int:
        """The most environment steps that one update consumes, of any phase; 0 if none does."""
        return max((phase.steps_per_update or 0 for phase in self.phases), default=0)

    def make_replay(self, capacity: int, n_envs: int, generator: torch.Generator) -> TensorReplay:
        """The replay that this agent learns from, on its device, with its prior and demonstrations.

        Args:
            capacity: transitions of interaction that it keeps.
            n_envs: environments that fill it.
            generator: a CPU generator, from which that of the minibatches derives.

        Raises:
            ConfigError: it has no room for the steps that one update consumes.
        """
        require_room(self.method.kind, self.consumed_steps, capacity, n_envs)
        minibatches = spawn_generator(generator, self.device)
        return TensorReplay(
            capacity,
            n_envs,
            self.layout,
            observed=self.observed,
            demonstrations=self.demonstrated if self.method.demonstrations_in_replay else None,
            demonstration_share=self.method.demonstrated_share(),
            hindsight=self._hindsight(generator),
            device=self.device,
            generator=minibatches,
        )

    def _hindsight(self, generator: torch.Generator) -> Hindsight | None:
        """What gives transitions other goals, where the method asks for it."""
        if self.goal_shares is None:
            return None
        assert self.spaces.goals is not None, "required when the agent is built"
        own = spawn_generator(generator, self.device)
        return Hindsight(self.spaces.goals, self.goal_shares, self.layout, own)

    # Checkpoints.

    def state(self) -> dict[str, Tensor]:
        """Everything the agent learns with, as flat named tensors."""
        state = {f"part.{name}": value for name, value in self.learned.state_dict().items()}
        for name, part in self.parts._asdict().items():
            state |= {f"optimizer.{name}.{k}": v for k, v in part.optimizer_state().items()}
        for name, generator in self._generators().items():
            state[f"generator.{name}"] = generator.get_state()
        if self.prior is not None and self.prior is not self.given:
            state |= {f"prior.{name}": value for name, value in self.prior.state().items()}
            state["prior_std_on_data"] = self.std_on_data
        return state | {"updates": torch.tensor(self.updates)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restores what `state()` returned into an agent built from the same configuration."""
        self.learned.load_state_dict(below(state, "part."))
        for name, part in self.parts._asdict().items():
            part.load_optimizer_state(below(state, f"optimizer.{name}."))
        for name, generator in self._generators().items():
            generator.set_state(state[f"generator.{name}"])
        self._load_prior(state)
        self.updates = int(state["updates"])

    def _load_prior(self, state: dict[str, Tensor]) -> None:
        """The prior that a state has in the place of the given one, or else the given one."""
        tensors = below(state, "prior.")
        if tensors:
            assert self.given is not None
            assert self.prior is not None
            prior = self.given.config.from_state(tensors, device=self.device)
            prior.reuse(self.prior)
            self.replace_prior(prior)
            self.std_on_data = state["prior_std_on_data"].to(self.device)
        elif self.given is not None and self.prior is not self.given:
            self.replace_prior(self.given)

    def _generators(self) -> dict[str, torch.Generator]:
        return {"acting": self.acting, "noise": self.noise}

    # Tianshou's side.

    def _update_with_batch(self, batch: Any) -> TrainingStats:
        return UpdateStats(self.step(transitions_of(batch)))
