"""What an exported policy is made of, as its file says it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nppac_priors.config import Config
from nppac_priors.deployed.prior_scale import PriorScale


class NetworkSpec(Config):
    """A perceptron of states, or of states and what is laid beside them."""

    layers: int = Field(ge=1)
    """Layers of the network."""
    activation: Literal["relu", "tanh"]
    """Between two layers."""
    standardised: bool
    """Whether states are shifted, scaled and clipped at 10."""
    layer_norm: bool = False
    """Whether hidden layers are normalised before the activation, with a vector of gains."""


class ActorSpec(NetworkSpec):
    """How a network and a prior make a distribution over actions in [-1, 1].

    The network's last layer gives x, (B, 2 A) for `gaussian` and `residual`, else (B, A).

    ============== ========================================================================
    form           mean and standard deviation, before a tanh where `squash`
    ============== ========================================================================
    gaussian       x1 (its tanh if not squashed), exp(clip(x2))
    residual       the prior's mean + x1, the prior's scale times exp(clip(x2))
    constant-std   tanh(x), or x times and plus two vectors; a vector `std`
    deterministic  tanh(x), none
    ============== ========================================================================
    """

    form: Literal["gaussian", "residual", "constant-std", "deterministic"]
    squash: bool = False
    """Whether actions are the tanh of the normal."""
    log_range: tuple[float, float] | None = None
    """Where x2 is clipped to."""
    trust_width: float | None = Field(default=None, gt=0)
    """Largest shift of a residual mean, in the prior's standard deviations or in those usual on the
    demonstrations (the vector `std_on_data`), whichever is smaller."""
    prior_scale: PriorScale = "std"
    """What a residual policy scales: the prior's std, its variance, or a share of its std."""
    affine: bool = False
    """Whether a constant-std mean is affine in x."""

    @model_validator(mode="after")
    def _form_has_its_fields(self) -> Self:
        if (self.log_range is not None) != (self.form in ("gaussian", "residual")):
            raise ValueError(f"log_range does not go with form {self.form!r}")
        if self.trust_width is not None and self.form != "residual":
            raise ValueError(f"trust_width does not go with form {self.form!r}")
        return self


class ChoiceSpec(Config):
    """Of N candidate actions the one that a critic values highest, as BEAR and BCQ act.

    Candidates come from a network and N rows of fixed normal noise, so that one state has one
    action. With `log_range` they are samples of a squashed normal, tanh(x1 + exp(clip(x2)) noise)
    with x (B, 2 A) the network's output at s; without, what a decoder makes of latents, tanh(x)
    with x (B, A) its output at s and noise. A perturbation moves an action a to
    clip(a + reach tanh(y)) with y (B, A) its output at s and a.
    """

    form: Literal["choice"]
    candidates: NetworkSpec
    critic: NetworkSpec
    """Of a state and an action, (B, 1)."""
    log_range: tuple[float, float] | None = None
    """Where x2 is clipped to."""
    perturbation: NetworkSpec | None = None
    reach: float = Field(default=0.0, ge=0)


class PolicySpec(Config):
    """An exported policy, beside its tensors."""

    state_dim: int = Field(ge=1)
    """S."""
    action_dim: int = Field(ge=1)
    """A."""
    actor: Annotated[ActorSpec | ChoiceSpec, Field(discriminator="form")]
    observation_keys: tuple[str, ...] | None = None
    """Entries of a dict observation that make the state, in order."""
    action_low: tuple[float, ...] | None = None
    """(A,) what -1 stands for in the environment's units; null: it takes [-1, 1]."""
    action_high: tuple[float, ...] | None = None
    """(A,) likewise for 1."""
    prior: str | None = None
    """Checksum of prior.safetensors; null without a prior."""
    alarm: bool = False
    """Whether scores of the demonstrations are there."""

    @model_validator(mode="after")
    def _fields_fit_each_other(self) -> Self:
        for name in ("action_low", "action_high"):
            ends = getattr(self, name)
            if ends is not None and len(ends) != self.action_dim:
                raise ValueError(f"{name} has {len(ends)} numbers for {self.action_dim} actions")
        low, high = self.action_low, self.action_high
        if (low is None) != (high is None):
            raise ValueError("action_low and action_high need each other")
        if low and high and not all(a < b for a, b in zip(low, high, strict=True)):
            raise ValueError("action_low has to be below action_high")
        if self.prior is None and (self.actor.form == "residual" or self.alarm):
            raise ValueError("a residual policy and an alarm need a prior")
        return self
