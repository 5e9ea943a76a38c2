"""What every number of a run is called, its unit, what it means, how it is read: the one place.

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
        title: in words; empty for those of its name.
        reading: what a curve of it tells, as sentences; empty where its definition says enough.
    """

    name: str
    unit: str
    meaning: str
    title: str = ""
    reading: str = ""

    @property
    def words(self) -> str:
        """Its title, or the words of its name."""
        return self.title or self.name.replace("_", " ")

    @property
    def sentence(self) -> str:
        """The meaning as a sentence."""
        return f"{self.meaning[0].upper()}{self.meaning[1:]}."

    def __str__(self) -> str:
        """Meaning and unit in a sentence, and how it is read."""
        return f"{self.sentence[:-1]} ({self.unit}). {self.reading}".strip()


_POSITION = (
    Metric("env_steps", "steps", "environment steps so far, of all environments together"),
    Metric("updates", "updates", "gradient updates so far, of any phase"),
    Metric("wall_seconds", "s", "time that the run has taken, that before a resume included"),
)
_SPEED = (
    Metric("updates_per_second", "1/s", "updates a second since the last line"),
    Metric("env_steps_per_second", "1/s", "environment steps a second since the last line"),
    Metric(
        "rollout_return",
        "reward",
        "mean return of the latest 20 episodes that samples played",
        "return of samples",
        "Samples explore, the mode is what is deployed. Where they stay far apart they come to "
        "different states, and what one learns there says little of the other.",
    ),
    Metric(
        "mode_return",
        "reward",
        "mean return of the latest 20 episodes that the mode played",
        "return of the mode",
    ),
)
_JUMPS = "Jumps by orders of magnitude are the pathology of a prior that collapses."
_POLICY = (
    Metric(
        "actor_loss",
        "loss",
        "what the policy's step minimises",
        reading="Mostly the critics' promise with a minus sign: lower says that more is promised, "
        "not that more is reached.",
    ),
    Metric(
        "actor_grad_norm",
        "norm",
        "gradient of the policy's loss over all its weights",
        "policy's gradient",
        _JUMPS,
    ),
    Metric(
        "actor_std",
        "action",
        "the policy's standard deviation, before a tanh if squashed",
        "policy's std",
    ),
    Metric(
        "entropy",
        "nats",
        "entropy of the policy, estimated from its samples",
        reading="A fall says that it commits itself.",
    ),
    Metric(
        "alpha",
        "reward a nat",
        "weight of the regulariser, the temperature",
        "temperature α",
        "It is what one nat of divergence or entropy costs.",
    ),
)
_PRIOR = (
    Metric(
        "kl",
        "nats",
        "divergence KL(pi || pi0) of the policy from the prior",
        "divergence from the prior",
        "Growth without end says that the prior is too narrow where the policy goes, or alpha too "
        "low.",
    ),
    Metric(
        "prior_std",
        "action",
        "the prior's standard deviation at the states of the batch",
        "prior's std",
        "A prior that narrows here pulls ever harder.",
    ),
    Metric("best_episodes", "episodes", "how many the prior has been fitted anew to"),
    Metric("best_return", "reward", "their mean return"),
)
_CRITIC = (
    Metric(
        "critic_loss",
        "loss",
        "what the critics' step minimises",
        reading="It need not fall: targets move, and grow with the returns.",
    ),
    Metric(
        "critic_grad_norm",
        "norm",
        "gradient of the critics' loss over all their weights",
        "critics' gradient",
        _JUMPS,
    ),
    Metric(
        "critic_value",
        "reward",
        "what the critics say of the batch's states and actions",
        "critics' value",
        "It should settle near the discounted returns that are possible; growth far beyond these "
        "is overestimation.",
    ),
    Metric("target_value", "reward", "what the critics are drawn to there", "critics' target"),
    Metric(
        "held_out_error",
        "share",
        "variance that is not explained on held-out data: of returns by the critics (warm-up), of "
        "rewards and next states by the model (MOPO, MBOP)",
        "held-out error",
        "Warm-up and model end when it falls no further.",
    ),
    Metric(
        "value_loss",
        "loss",
        "what the step of the state value V minimises",
        reading="Its targets move, so that it need not fall.",
    ),
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
    Metric(
        "behaviour_loss",
        "loss",
        "what the step of the cloned behaviour minimises",
        reading="It says how badly the demonstrator's actions are explained, and should fall and "
        "settle.",
    ),
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
_MODEL = (
    Metric("model_loss", "loss", "what the step of the environment's model minimises, a member"),
    Metric("model_grad_norm", "norm", "gradient of that loss over all weights of all members"),
    Metric("penalty", "reward", "what imagined steps pay for the model's spread (MOPO)"),
)
_EVALUATION = tuple(Metric(m.field, m.note, m.meaning, m.title) for m in MEASURES)
_EVALUATION_EVENTS = (
    "All but the return are null where no info of a step tells success. "
    "In events `evaluation` and `reporting`, beside `episodes`, how many were played, and "
    "`per_episode`, what each of them had. Events `reporting` also say `policy` (`last` or "
    "`best`), `of_env_steps` (how many steps it had learned from), `seeds` (first and last reset "
    "seed) and `intervals` (95 %, over the episodes)."
)
_GUARD = tuple(Metric(g.field, f"warns above {g.highest:g}", g.meaning, g.title) for g in GAUGES)

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
    "Models of the environment": ("Likewise.", _MODEL),
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
    rows = [f"| `{m.name}` | {m.unit} | {_cell(m)} |".replace("||", "\\|\\|") for m in metrics]
    return "\n".join(["| name | unit | meaning |", "| --- | --- | --- |", *rows])


def _cell(metric: Metric) -> str:
    return f"{metric.meaning}. {metric.reading}" if metric.reading else metric.meaning


if __name__ == "__main__":
    print(page(), end="")
