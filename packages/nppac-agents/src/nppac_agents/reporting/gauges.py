"""What the pathology guard looks at, as terminal and report name it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gauge:
    """One number that the guard measures with every evaluation.

    Attributes:
        field: its name in an evaluation event.
        title: its name in words.
        meaning: its definition, as half a sentence.
        highest: the end of its range.
        advice: what to do beyond it.
    """

    field: str
    title: str
    meaning: str
    highest: float
    advice: str


GAUGES = (
    Gauge(
        "prior_narrow",
        "Prior narrower than on its data",
        "share of visited states and dimensions where the prior's std is below its median on the "
        "demonstrations; one half on these themselves",
        0.9,
        "the prior grows sure where it was shown nothing: use a Gaussian process, or see "
        "`nppac-prior report`",
    ),
    Gauge(
        "kl_over_value_gradient",
        "KL gradient over Q gradient",
        "norm of the gradient of alpha KL in the policy's weights, over that of Q",
        10.0,
        "the divergence alone moves the policy: lower agent.alpha, or wrap the prior in a "
        "variance floor",
    ),
    Gauge(
        "value_over_return",
        "Critic over return",
        "what the critics promise at the first states of the latest episodes, over the discounted "
        "returns that followed",
        2.0,
        "the critics promise more than follows: raise agent.n_critics or lower agent.n_steps",
    ),
)
"""In the order in which they are shown."""
