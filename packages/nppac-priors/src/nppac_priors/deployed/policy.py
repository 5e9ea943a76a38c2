"""`DeployedPolicy`: raw observations in, actions in the environment's units out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nppac_priors.data import finite_matrix
from nppac_priors.deployed.action_map import ActionMap
from nppac_priors.deployed.actor import Actor
from nppac_priors.deployed.alarm import Alarm, scores_of
from nppac_priors.deployed.observation import state_rows
from nppac_priors.deployed.spec import ActorSpec, PolicySpec
from nppac_priors.errors import DataError
from nppac_priors.prior import GaussianPrior

Observation = ArrayLike | Mapping[str, ArrayLike]
"""A state (S,), a batch (B, S), or a dict with the entries that make the state"""


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of actions, (A,) or (B, A), in the environment's units."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]


@dataclass(frozen=True)
class PolicyAndPrior:
    """What a policy would do, and what the demonstrator would have done as far as it is known.

    Attributes:
        policy: std is zero for a policy without a distribution.
        prior: None without a prior.
    """

    policy: Moments
    prior: Moments | None


class PolicyTensors(NamedTuple):
    """All that a policy says of states, in the environment's units.

    Attributes:
        action: (B, A) float32, as `act`.
        policy_mean: (B, A) float32; this and the next as `distribution` has them.
        policy_std: (B, A).
        prior_mean: (B, A); None without a prior, as the next.
        prior_std: (B, A).
        trust: (B,) float64, as `trust`; None without an alarm.
    """

    action: Tensor
    policy_mean: Tensor
    policy_std: Tensor
    prior_mean: Tensor | None = None
    prior_std: Tensor | None = None
    trust: Tensor | None = None


class DeployedPolicy:
    """A trained policy; make it with `nppac_priors.load_policy`.

    It keeps nothing between calls, so that one object serves many robots and threads.

    Attributes:
        spec: What it is made of.
        actor: The network, with what it needs.
        prior: The behavioural prior; None without one.
        alarm: Of `trust`; None where the export left it out.
        device: Where it acts.
    """

    def __init__(
        self, spec: PolicySpec, actor: Actor, prior: GaussianPrior | None, alarm: Alarm | None
    ) -> None:
        """Put the parts together, which `load_policy` has checked."""
        self.spec = spec
        self.prior = prior
        self.alarm = alarm
        self.actor = actor
        self.device = actor.device
        self._map = ActionMap(spec.action_low, spec.action_high, self.device)

    @torch.no_grad()
    def act(self, observation: Observation) -> NDArray[np.float32]:
        """The policy's deterministic action, (A,) for one observation and (B, A) for a batch.

        Clipped to the action space.

        Raises:
            DataError: The observation is of another shape, or not finite.
        """
        states, single = self._states(observation)
        mean = std = None
        if self.actor.mode_needs_std:
            mean, std = self._require_prior().moments(states)
        elif self.actor.needs_prior:
            mean = self._require_prior().mean(states)
        return _array(self._map.action(self.actor(states, mean, std).mode()), single)

    @torch.no_grad()
    def prior_action(self, observation: Observation) -> NDArray[np.float32]:
        """The prior's mean, as `act` gives the policy's action: what to fall back on.

        Raises:
            DataError: As `act`; or there is no prior.
        """
        states, single = self._states(observation)
        return _array(self._map.action(self._require_prior().mean(states)), single)

    @torch.no_grad()
    def distribution(self, observation: Observation) -> PolicyAndPrior:
        """Mean and standard deviation of policy and prior, (A,) or (B, A), not clipped.

        Raises:
            DataError: As `act`.
        """
        states, single = self._states(observation)
        prior = None if self.prior is None else self.prior.moments(states)
        policy = self.actor(states, *(prior or (None, None))).moments()

        def scaled(mean: Tensor, std: Tensor) -> Moments:
            return Moments(*(_array(part, single) for part in self._map.moments(mean, std)))

        return PolicyAndPrior(scaled(*policy), None if prior is None else scaled(*prior))

    @torch.no_grad()
    def trust(self, observation: Observation) -> Any:
        """The share of demonstrated states of which the prior is less sure: a number, or (B,).

        The prior that judged a demonstrated state was fitted without its episode. Near 1 means as
        familiar as the best known of them, near 0 stranger than nearly all.

        Raises:
            DataError: As `act`; or the policy was exported without an alarm.
        """
        alarm = self._require_alarm()
        states, single = self._states(observation)
        shares = alarm.trust(scores_of(self._require_prior().moments(states)[1]))
        return float(shares[0]) if single else _array(shares, single)

    def tensors(self, states: Tensor) -> PolicyTensors:
        """All of the above as one pure function of tensors, differentiable, without a check.

        Args:
            states: (B, S) float32, finite, on the device that the policy was loaded to.
        """
        prior = None if self.prior is None else self.prior.tensors(states)
        policy = self.actor(states, *(prior or (None, None)))
        found = PolicyTensors(
            self._map.action(policy.mode()), *self._map.moments(*policy.moments())
        )
        if prior is None:
            return found
        mean, std = self._map.moments(*prior)
        trust = None if self.alarm is None else self.alarm.trust(scores_of(prior[1]))
        return found._replace(prior_mean=mean, prior_std=std, trust=trust)

    def save_onnx(self, path: str | Path) -> None:
        """Write `tensors` as an ONNX file; needs the extra `nppac-priors[onnx]`.

        Its input `states` is (B, S) float32, its outputs bear the names of `PolicyTensors`.

        Raises:
            ConfigError: It is too large, its prior cannot be traced, or the extra is missing.
            PolicyFileError: The file cannot be written.
        """
        from nppac_priors.deployed.program import write_onnx

        write_onnx(self, Path(path))

    def save_program(self, path: str | Path) -> None:
        """Write `tensors` as a `torch.export` program, which `torch.export.load` reads.

        Raises:
            ConfigError: The policy is too large, or its prior cannot be traced.
            PolicyFileError: The file cannot be written.
        """
        from nppac_priors.deployed.program import write_program

        write_program(self, Path(path))

    def threshold(
        self, *, per_step: float | None = None, per_episode: float | None = None
    ) -> float:
        """Below which `trust` is an alarm, for a largest share of false ones.

        Args:
            per_step: Of steps, as the demonstrator would make them.
            per_episode: Of episodes with any alarm; give one of the two.

        Raises:
            DataError: There is no alarm, or too few demonstrations for the rate.
        """
        return self._require_alarm().threshold(per_step=per_step, per_episode=per_episode)

    def __repr__(self) -> str:
        """Form, sizes, prior and alarm in one line."""
        spec = self.spec
        prior = "no prior" if self.prior is None else f"prior {self.prior.config.kind!r}"
        squashed = isinstance(spec.actor, ActorSpec) and spec.actor.squash
        form = f"squashed {spec.actor.form}" if squashed else spec.actor.form
        alarm = "no alarm"
        if self.alarm is not None:
            alarm = f"alarm from {len(self.alarm.episode_scores)} episodes"
        return f"<DeployedPolicy: {form}, {spec.state_dim} -> {spec.action_dim}, {prior}, {alarm}>"

    def _states(self, observation: Observation) -> tuple[Tensor, bool]:
        rows, single = state_rows(observation, self.spec.observation_keys)
        width = self.spec.state_dim
        checked = finite_matrix(rows, "observation", columns=width, device=self.device)
        return checked, single

    def _require_prior(self) -> GaussianPrior:
        if self.prior is None:
            raise DataError("this policy has no prior: its method learned without one")
        return self.prior

    def _require_alarm(self) -> Alarm:
        if self.alarm is None:
            raise DataError(
                "this policy was exported without an alarm, which takes a Gaussian prior and its "
                "demonstrations"
            )
        return self.alarm


def _array(values: Tensor, single: bool) -> NDArray[Any]:
    """Values (B, ...) as an array; of the first alone if single."""
    array = values.cpu().numpy()
    return array[0] if single else array
