"""Which curve an event belongs to, and what that is drawn over: one rule for every logger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BY_STEPS = ("rollouts", "online", "evaluation", "reporting")
"""What is counted in environment steps; in every other phase only the updates go on"""


def series_of(event: Mapping[str, Any]) -> str:
    """The phase, and for a reported result which policy played."""
    return "/".join(filter(None, (event["phase"], event.get("policy"))))


def axis_of(phase: str, experiment: Mapping[str, Any]) -> str:
    """The number that counts a phase: environment steps, updates without any.

    Args:
        phase: of an event.
        experiment: the run's config, as JSON data.
    """
    return "env_steps" if phase in BY_STEPS and experiment["training"]["env_steps"] else "updates"
