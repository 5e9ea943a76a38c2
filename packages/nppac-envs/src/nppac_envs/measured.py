"""`MeasureEpisodes`: the five measures of every episode, for any task and any training loop."""

from __future__ import annotations

from typing import Any, final

import gymnasium
import numpy as np

from nppac_envs.measures import EpisodeMeasures


@final
class MeasureEpisodes(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds `info["episode_measures"]` to the last step of each episode.

    It holds `success_ever` and `success_at_end` (0 or 1), `solved_fraction`, `time_to_success`
    (steps, NaN without a success) and `return` as floats, so that vector environments stack them.
    Put it outside a time limit: `MeasureEpisodes(DoorConfig().make())`. Tasks that know no success
    count as never solved.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        """Wrap one environment."""
        super().__init__(env)
        self._total = EpisodeMeasures(1)

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Start a new episode."""
        self._total = EpisodeMeasures(1)
        return super().reset(**options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """One step; the measures come with the one that ends the episode."""
        state, reward, terminated, truncated, info = super().step(action)
        success = bool(info.get("success", False))
        self._total.update(np.array([success]), np.array([float(reward)]))
        if terminated or truncated:
            info = {**info, "episode_measures": self._measures()}
        return state, reward, terminated, truncated, info

    def _measures(self) -> dict[str, float]:
        measures = self._total.result()
        return {
            "success_ever": float(measures.success_ever[0]),
            "success_at_end": float(measures.success_at_end[0]),
            "solved_fraction": float(measures.solved_fraction[0]),
            "time_to_success": float(measures.time_to_success[0]),
            "return": float(measures.returns[0]),
        }
