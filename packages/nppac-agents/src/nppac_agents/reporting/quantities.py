"""What updates report, as a run's page draws and explains it."""

from __future__ import annotations

from typing import NamedTuple

from nppac_priors.drawing.panels import Scale


class Quantities(NamedTuple):
    """What stands in one panel.

    Attributes:
        key: of the panel.
        title: in words.
        note: unit and definition, in a few words.
        fields: of a training event, and what each curve is called.
        meaning: how to read it, in a sentence or two.
        scale: None for linear, or symmetric logarithmic where that would hide most values.
    """

    key: str
    title: str
    note: str
    fields: dict[str, str]
    meaning: str
    scale: Scale | None = None


TRAINING = (
    Quantities(
        "returns",
        "Returns of training episodes",
        "means of the latest 20, undiscounted",
        {"rollout_return": "return of samples", "mode_return": "return of the mode"},
        "Samples explore, the mode is what is deployed. Where they stay far apart they come to "
        "different states, and what one learns there says little of the other.",
    ),
    Quantities(
        "kl",
        "Divergence from the prior",
        "KL(π || π₀), batch mean, in nats",
        {"kl": "KL"},
        "How far the policy is from the prior. Growth without end says that the prior is too "
        "narrow where the policy goes, or α too low.",
    ),
    Quantities(
        "critic",
        "Critic",
        "batch means, discounted return",
        {"critic_value": "value", "target_value": "target"},
        "What the critics promise, and what they are fitted to. Both should settle near the "
        "returns that are possible; growth far beyond these is overestimation.",
    ),
    Quantities(
        "held_out_error",
        "Held-out error",
        "share of the variance of returns",
        {"held_out_error": "held-out error"},
        "What the critics do not explain of the returns of rollouts that they do not learn from. "
        "The warm-up ends when it falls no further.",
    ),
    Quantities(
        "gradients",
        "Gradient norms",
        "Euclidean, over all parameters",
        {"actor_grad_norm": "actor", "critic_grad_norm": "critic"},
        "How strongly the losses pull. Jumps by orders of magnitude are the pathology of a prior "
        "that collapses.",
        "log",
    ),
    Quantities(
        "entropy",
        "Entropy",
        "of the policy, batch mean, in nats",
        {"entropy": "entropy"},
        "How random the policy's actions are; a fall says that it commits itself.",
    ),
    Quantities(
        "advantage",
        "Advantage",
        "batch mean, in value",
        {"advantage": "advantage"},
        "How much better the batch's actions are than the policy's own, by the critics.",
    ),
    Quantities(
        "alpha",
        "Temperature α",
        "weight of the regulariser, in reward",
        {"alpha": "temperature α"},
        "What one nat of divergence or entropy costs in reward.",
        "linear",
    ),
    Quantities(
        "std",
        "Standard deviation",
        "mean over batch and action dimensions",
        {"actor_std": "actor", "prior_std": "prior"},
        "Of the policy and of the prior at the states of the batch. A prior that narrows here "
        "pulls ever harder.",
    ),
    Quantities(
        "critic_loss",
        "Critic loss",
        "batch mean",
        {"critic_loss": "critic loss"},
        "The critics' error on their own targets. It need not fall: targets move, and grow with "
        "the returns.",
    ),
    Quantities(
        "actor_loss",
        "Actor loss",
        "batch mean",
        {"actor_loss": "actor loss"},
        "What the policy minimises, mostly the critics' promise with a minus sign; lower says "
        "that more is promised, not that more is reached.",
    ),
    Quantities(
        "value_loss",
        "Value loss",
        "batch mean",
        {"value_loss": "value loss"},
        "The error of the state value on its targets, which move.",
    ),
    Quantities(
        "behaviour_loss",
        "Behaviour loss",
        "batch mean",
        {"behaviour_loss": "behaviour loss"},
        "How badly the model of the demonstrator explains its actions; it should fall and settle.",
    ),
)
