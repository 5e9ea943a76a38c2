"""AWAC: advantage-weighted actor-critic (Nair et al. 2020).

    critic target   y = r + gamma (1 - d) min_j Qbar_j(s', a'),   a' ~ pi(.|s')
    advantage       A(s, a) = min_j Q_j(s, a) - min_j Q_j(s, a_pi),   a_pi the policy's mode, or a
                    sample; (s, a) from the replay, which holds the demonstrations too
    actor loss      - mean [w(s, a) log pi(a|s)]

with weights w = exp(A / lambda), each sample for itself (the paper, its normaliser left out), or
w = B softmax(A / lambda) over the minibatch of B (the released code). Learning starts offline, on
the demonstrations; optionally, as in the paper's experiments, a clone of them first collects
rollouts, which count as environment steps here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import ActorCritic
from nppac_agents.methods.base import BatchSize, Width
from nppac_agents.phase import ONLINE, Losses, Phase, offline, rollouts

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Part


class AWACParts(NamedTuple):
    """What AWAC learns with."""

    policy: Part
    critic: Critics


class AWAC(ActorCritic):
    """AWAC: a policy regressed on actions weighted by their advantage (Nair et al. 2020)."""

    uses_prior: ClassVar[bool] = False
    demonstrations_in_replay: ClassVar[bool] = True

    kind: Literal["awac"] = "awac"  # pyright: ignore[reportIncompatibleVariableOverride]
    advantage_temperature: float = Field(default=0.3, gt=0)
    """Lambda, in value: 0.3 for hands and 1.0 for locomotion in the paper, 0.5 and 2 in its
    code."""
    weights: Literal["sample", "softmax"] = "sample"
    """`sample`: exp(A / lambda) (the paper); `softmax`: over the minibatch (the released code)."""
    largest_advantage: float | None = 0.5
    """Advantages are clipped from above at this value (released code, hands); null clips none."""
    policy_value: Literal["mode", "sample"] = "mode"
    """The action whose value an advantage is measured from: the policy's mode (released code,
    hands) or a sample (locomotion)."""
    critic_upper_bound: float | None = None
    """Clamp critic values at this from above: 0 for rewards of -1 and 0 (released code, hands;
    there values above it get no gradient, here they do); null clamps nothing."""
    offline_updates: int = Field(default=25_000, ge=0)
    """Updates on the replay before interaction goes on."""
    cloning_updates: int = Field(default=10_000, ge=1)
    """Updates of the clone that collects `rollout_steps`."""
    rollout_steps: int = Field(default=0, ge=0)
    """Environment steps that a clone of the demonstrations collects first (the paper: 500 episodes
    of 200); they count."""
    policy_weight_decay: float = Field(default=1e-4, ge=0, le=1)
    """Adam's weight decay of the policy."""
    batch_size: BatchSize = 1024
    """Transitions per update."""
    policy_hidden: tuple[Width, ...] = (256, 256, 256, 256)
    """Hidden widths of the policy network."""
    critic_hidden: tuple[Width, ...] = (256, 256, 256, 256)
    """Hidden widths of each critic."""

    def parts(self, agent: Agent, generator: torch.Generator) -> AWACParts:
        """A Gaussian with a tanh mean and one log standard deviation in [-6, 0] per dimension."""
        network = parts.ConstantStdPolicy(
            agent.spaces.state_dim,
            agent.spaces.action_dim,
            self.policy_hidden,
            log_std_range=(-6.0, 0.0),
            bounding="sigmoid",
            standardiser=self.standardiser(agent),
            generator=generator,
        )
        return AWACParts(
            parts.Part(network, self.policy_learning_rate, decay=self.policy_weight_decay),
            self.critics(agent, generator, upper_bound=self.critic_upper_bound),
        )

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lower slow critic at the policy's action, without an entropy term."""
        actions, _ = agent.parts.policy(batch.next_states).sample(agent.noise)
        return agent.parts.critic.slow(batch.next_states, actions).amin(0)

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """The weighted negative log-likelihood of the replay's actions."""
        policy, critic = agent.parts.policy(batch.states), agent.parts.critic
        with parts.no_grad():
            own = policy.mode() if self.policy_value == "mode" else policy.sample(agent.noise)[0]
            taken = critic(batch.states, batch.actions).amin(0)
            advantages = taken - critic(batch.states, own).amin(0)
        weights = self.weigh(advantages)
        loss = -(weights * policy.log_prob(batch.actions)).mean()
        return {
            "actor_loss": loss,
            "actor_grad_norm": agent.parts.policy.descend(loss),
            "actor_std": policy.std.mean(),
            "advantage": advantages.mean(),
            "largest_weight": weights.max(),
        }

    def weigh(self, advantages: Tensor) -> Tensor:
        """The weights (B,) of advantages (B,)."""
        if self.largest_advantage is not None:
            advantages = advantages.clamp(max=self.largest_advantage)
        scaled = advantages / self.advantage_temperature
        return scaled.exp() if self.weights == "sample" else scaled.softmax(0) * len(scaled)

    def collected_steps(self) -> int:
        """`rollout_steps`."""
        return self.rollout_steps

    def learns_offline(self) -> bool:
        """With `offline_updates`."""
        return self.offline_updates > 0

    def phases(self, agent: Agent) -> list[Phase]:
        """Optionally a clone's rollouts, then offline, then online."""
        collected = rollouts(self.rollout_steps)
        cloned = self.cloning(self.cloning_updates) if collected else []
        return [*cloned, *collected, *offline(self.offline_updates), ONLINE]
