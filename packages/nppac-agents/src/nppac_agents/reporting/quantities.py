"""Which numbers of updates share a panel of a run's page; what they are is in `metric_names`."""

from __future__ import annotations

from typing import NamedTuple

from nppac_priors.drawing.panels import Scale

from nppac_agents.metric_names import METRICS, Metric


class Quantities(NamedTuple):
    """What stands in one panel.

    Attributes:
        key: of the panel.
        metrics: one or more.
        title: in words; empty for that of the first.
        scale: None for linear, or symmetric logarithmic where that would hide most values.
    """

    key: str
    metrics: tuple[Metric, ...]
    title: str = ""
    scale: Scale | None = None

    @property
    def heading(self) -> str:
        """The title as it stands above the panel."""
        title = self.title or self.metrics[0].words
        return title[0].upper() + title[1:]

    @property
    def unit(self) -> str:
        """Of all of them."""
        return ", ".join(dict.fromkeys(metric.unit for metric in self.metrics))

    @property
    def meaning(self) -> str:
        """What each of them is, and how they are read."""
        if len(self.metrics) == 1:
            (only,) = self.metrics
            return f"{only.sentence} {only.reading}".strip() if only.meaning else ""
        named = [f"{m.words[0].upper()}{m.words[1:]}: {m.meaning}." for m in self.metrics]
        return " ".join([*named, *dict.fromkeys(m.reading for m in self.metrics if m.reading)])


def of(name: str) -> Quantities:
    """The panel of one number by itself, which a method of a plugin may have made up."""
    unknown = Metric(name, "as the method reports it", "")
    return Quantities(name, (METRICS.get(name, unknown),))


def _together(key: str, title: str, *names: str, scale: Scale | None = None) -> Quantities:
    return Quantities(key, tuple(METRICS[name] for name in names), title, scale)


TRAINING = (
    _together("returns", "returns of training episodes", "rollout_return", "mode_return"),
    of("kl"),
    _together("critic", "critics", "critic_value", "target_value"),
    of("held_out_error"),
    _together("gradients", "gradient norms", "actor_grad_norm", "critic_grad_norm", scale="log"),
    of("entropy"),
    of("advantage"),
    of("alpha")._replace(scale="linear"),
    _together("std", "standard deviation", "actor_std", "prior_std"),
    of("critic_loss"),
    of("actor_loss"),
    of("value_loss"),
    of("behaviour_loss"),
)
