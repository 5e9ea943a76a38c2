"""Whether an environment is still the one that a run learned in, as far as its files say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nppac_priors.errors import ConfigError

_KEPT = {
    "action_bounds": "bounds of actions (low, high)",
    "observation_keys": "entries of an observation",
}
"""What a policy of a run cannot do without, of what making the environment told; in words."""


def require_same_environment(recorded: Path, now: dict[str, Any] | None) -> None:
    """Refuses an environment whose actions or observations mean something else than in the run.

    Args:
        recorded: the run's `environment.json`; one that cannot be read is written anew, and tells
            nothing.
        now: what making the environment told (`EnvConfig.details`).

    Raises:
        ConfigError: its bounds or its observations have changed.
    """
    try:
        known = json.loads(recorded.read_text(encoding="utf-8"))["env"] or {}
    except (OSError, ValueError, TypeError, KeyError):
        return
    found = json.loads(json.dumps(now or {}))
    for name, words in _KEPT.items():
        if known.get(name) != found.get(name):
            raise ConfigError(
                f"env: its {words} are {found.get(name)}, this run learned with {known.get(name)}; "
                "put the environment back as it was, or start a new run"
            )
