"""What every number of a run is called, its unit, and what it means: the one place for it.

TensorBoard's descriptions, the report's panels and `docs/metrics.md` take them from here. A method
of a plugin reports what it likes; names that are not here are shown as they are.

    python -m nppac_agents.metric_names > docs/metrics.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nppac_agents.reporting.gauges import GAUGES
from nppac_agents.reporting.measures import MEASURES


@dataclass(frozen=True)
class Metric:
    """A number that events of `metrics.jsonl` may have.

    Attributes:
        name: its field there.
        unit: what it is counted in, or the mean of what.
        meaning: its definition, as a sentence without its end.
    """

    name: str
    unit: str
    meaning: str

    def __str__(self) -> str:
        """Meaning and unit in a sentence."""
        return f"{self.meaning[0].upper()}{self.meaning[1:]} ({self.unit})."


_POSITION = (
    Metric("env_steps", "steps", "environment steps so far, of all environments together"),
    Metric("updates", "updates", "gradient updates so far, of any phase"),
    Metric("wall_seconds", "s", "time that the run has taken, that before a resume included"),
)
_SPEED = (
    Metric("updates_per_second", "1/s", "updates a second since the last line"),
    Metric("env_steps_per_second", "1/s", "environment steps a second since the last line"),
    Metric("rollout_return", "reward", "mean return of the latest 20 episodes that samples played"),
    Metric("mode_return", "reward", "mean return of the latest 20 episodes that the mode played"),
)
_POLICY = (
    Metric("actor_loss", "loss", "what the policy's step minimises"),
    Metric("actor_grad_norm", "norm", "gradient of the policy's loss over all its weights"),
    Metric("actor_std", "action", "the policy's standard deviation, before a tanh if squashed"),
    Metric("entropy", "nats", "entropy of the policy, estimated from its samples"),
    Metric("alpha", "reward a nat", "weight of the regulariser, the temperature"),
)
_PRIOR = (
    Metric("kl", "nats", "divergence KL(pi || pi0) of the policy from the prior"),
    Metric("prior_std", "action", "the prior's standard deviation at the states of the batch"),
    Metric("best_episodes", "episodes", "how many the prior has been fitted anew to"),
    Metric("best_return", "reward", "their mean return"),
)
_CRITIC = (
    Metric("critic_loss", "loss", "what the critics' step minimises"),
    Metric("critic_grad_norm", "norm", "gradient of the critics' loss over all their weights"),
    Metric("critic_value", "reward", "what the critics say of the batch's states and actions"),
    Metric("target_value", "reward", "what the critics are drawn to there"),
    Metric(
        "held_out_error",
        "share",
        "variance of returns of held-out rollouts that the critics do not explain (warm-up)",
    ),
    Metric("value_loss", "loss", "what the step of the state value V minimises"),
    Metric("value_grad_norm", "norm", "gradient of that loss over all weights of V"),
    Metric("advantage", "reward", "how much better the batch's actions are than the policy's"),
    Metric("conservative_gap", "reward", "values of the policy's actions above the batch's (CQL)"),
)
_WEIGHTS = (
    Metric("largest_weight", "weight", "largest weight of an action in the batch that is imitated"),
    Metric("mean_weight", "weight", "mean weight of the batch's actions that are imitated"),
    Metric("kept", "share", "actions of the batch whose advantage lets them be imitated (ABM)"),
    Metric("effective_samples", "samples", "drawn actions that carry the weight (MPO)"),
    Metric("temperature", "reward", "temperature of the weights of drawn actions (MPO)"),
    Metric("demonstration_weight", "weight", "weight of the demonstrations in the gradient (DAPG)"),
)
_CONSTRAINTS = (
    Metric("behaviour_loss", "loss", "what the step of the cloned behaviour minimises"),
    Metric("behaviour_grad_norm", "norm", "gradient of that loss over all its weights"),
    Metric("behaviour_entropy", "nats", "entropy of the cloned behaviour (BRAC)"),
    Metric("discriminator_loss", "loss", "what the discriminator minimises (BRAC, Wasserstein)"),
    Metric("divergence", "nats if a KL", "distance of the policy from the behaviour (BRAC, BRAC+)"),
    Metric("mmd", "kernel", "maximum mean discrepancy from the behaviour (BEAR)"),
    Metric("multiplier", "weight", "Lagrange multiplier of the method's constraint (BEAR, CQL)"),
    Metric("perturbation", "action", "mean absolute change of the behaviour's actions (BCQ)"),
    Metric("mean_kl", "nats", "divergence of a step through the policy's mean (MPO)"),
    Metric("std_kl", "nats", "divergence of a step through the policy's std (MPO)"),
    Metric("step_kl", "nats", "divergence of the new policy from the old one (DAPG)"),
    Metric("cloning_error", "action^2", "squared distance from the batch's actions (TD3+BC)"),
)
_EVALUATION = tuple(Metric(m.field, m.note, m.meaning) for m in MEASURES)
_EVALUATION_EVENTS = (
    "In events `evaluation` and `reporting`, beside `episodes`, how many were played, and "
    "`per_episode`, what each of them had. Events `reporting` also say `policy` (`last` or "
    "`best`), `of_env_steps` (how many steps it had learned from), `seeds` (first and last reset "
    "seed) and `intervals` (95 %, over the episodes)."
)
_GUARD = tuple(Metric(g.field, f"warns above {g.highest:g}", g.meaning) for g in GAUGES)

SECTIONS = {
    "Where in the run": ("Every event has these.", _POSITION),
    "Speed and rollouts": ("In events `train`.", _SPEED),
    "Evaluations": (_EVALUATION_EVENTS, _EVALUATION),
    "Pathology guard": ("In events `evaluation`.", _GUARD),
    "Policy": ("In events `train`, as the means of all updates since the last.", _POLICY),
    "Prior": ("Likewise.", _PRIOR),
    "Critics and values": ("Likewise.", _CRITIC),
    "Weights of imitated actions": ("Likewise.", _WEIGHTS),
    "Behaviours and constraints": ("Likewise.", _CONSTRAINTS),
}
"""Heading, what the numbers have in common, and the numbers."""

METRICS = {metric.name: metric for _, metrics in SECTIONS.values() for metric in metrics}
"""All of them by name."""


def page() -> str:
    """`docs/metrics.md`."""
    parts = [
        "# Metrics",
        "Every line of a run's `metrics.jsonl` is a JSON object, an event: `event` says of which "
        "kind (`train`, `evaluation`, `reporting`, `changes`), `phase` in which phase of learning. "
        "These are the numbers in it; what an update reports is the mean of its batch where "
        "nothing else is said. [write-a-logger.md](write-a-logger.md) sends them elsewhere. This "
        "page is written by `python -m nppac_agents.metric_names > docs/metrics.md`.",
    ]
    for heading, (common, metrics) in SECTIONS.items():
        parts += [f"## {heading}", common, _table(metrics)]
    return "\n\n".join(parts) + "\n"


def _table(metrics: Sequence[Metric]) -> str:
    rows = [f"| `{m.name}` | {m.unit} | {m.meaning} |".replace("||", "\\|\\|") for m in metrics]
    return "\n".join(["| name | unit | meaning |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    print(page(), end="")
