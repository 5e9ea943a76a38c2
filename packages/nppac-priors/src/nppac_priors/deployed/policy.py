"""`DeployedPolicy`: raw observations in, actions in the environment's units out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nppac_priors.data import finite_matrix
from nppac_priors.deployed.action_map import ActionMap
from nppac_priors.deployed.actor import Actor
from nppac_priors.deployed.alarm import Alarm, scores_of
from nppac_priors.deployed.observation import state_rows
from nppac_priors.deployed.spec import PolicySpec
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


class DeployedPolicy:
    """A trained policy; make it with `nppac_priors.load_policy`.

    It keeps nothing between calls, so that one object serves many robots and threads.

    Attributes:
        spec: What it is made of.
        prior: The behavioural prior; None without one.
        alarm: Of `trust`; None where the export left it out.
    """

    def __init__(
        self, spec: PolicySpec, actor: Actor, prior: GaussianPrior | None, alarm: Alarm | None
    ) -> None:
        """Put the parts together, which `load_policy` has checked."""
        self.spec = spec
        self.prior = prior
        self.alarm = alarm
        self._actor = actor
        self._map = ActionMap(spec.action_low, spec.action_high)

    @torch.no_grad()
    def act(self, observation: Observation) -> NDArray[np.float32]:
        """The policy's deterministic action, (A,) for one observation and (B, A) for a batch.

        Clipped to the action space.

        Raises:
            DataError: The observation is of another shape, or not finite.
        """
        states, single = self._states(observation)
        mean = std = None
        if self._actor.mode_needs_std:
            mean, std = self._require_prior().moments(states)
        elif self._actor.needs_prior:
            mean = self._require_prior().mean(states)
        return self._map.action(self._actor(states, mean, std).mode(), single)

    @torch.no_grad()
    def prior_action(self, observation: Observation) -> NDArray[np.float32]:
        """The prior's mean, as `act` gives the policy's action: what to fall back on.

        Raises:
            DataError: As `act`; or there is no prior.
        """
        states, single = self._states(observation)
        return self._map.action(self._require_prior().mean(states), single)

    @torch.no_grad()
    def distribution(self, observation: Observation) -> PolicyAndPrior:
        """Mean and standard deviation of policy and prior, (A,) or (B, A), not clipped.

        Raises:
            DataError: As `act`.
        """
        states, single = self._states(observation)
        prior = None if self.prior is None else self.prior.moments(states)
        policy = self._actor(states, *(prior or (None, None))).moments()
        scaled = [
            None if both is None else self._map.moments(*both, single) for both in (policy, prior)
        ]
        assert scaled[0] is not None
        return PolicyAndPrior(
            Moments(*scaled[0]), None if scaled[1] is None else Moments(*scaled[1])
        )

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
        shares = alarm.trust(scores_of(self._require_prior().moments(states)[1])).cpu().numpy()
        return float(shares[0]) if single else shares

    def threshold(
        self, *, per_step: float | None = None, per_episode: float | None = None
    ) -> float:
        """Below which `trust` is an alarm; see `alarm.Alarm.threshold`.

        Raises:
            DataError: There is no alarm, or too few demonstrations for the rate.
        """
        return self._require_alarm().threshold(per_step=per_step, per_episode=per_episode)

    def __repr__(self) -> str:
        """Form, sizes, prior and alarm in one line."""
        spec = self.spec
        prior = "no prior" if self.prior is None else f"prior {self.prior.config.kind!r}"
        form = f"squashed {spec.actor.form}" if spec.actor.squash else spec.actor.form
        alarm = "no alarm"
        if self.alarm is not None:
            alarm = f"alarm from {len(self.alarm.episode_scores)} episodes"
        return f"<DeployedPolicy: {form}, {spec.state_dim} -> {spec.action_dim}, {prior}, {alarm}>"

    def _states(self, observation: Observation) -> tuple[Tensor, bool]:
        rows, single = state_rows(observation, self.spec.observation_keys)
        device = self._actor.tensors["weight_0"].device
        checked = finite_matrix(rows, "observation", columns=self.spec.state_dim, device=device)
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
