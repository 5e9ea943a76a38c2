"""The conformal alarm: how sure a prior is of a state, compared with demonstrated states.

The score of a state is the mean over action dimensions of the log standard deviation. Of a
demonstrated state it is that of the prior fitted without its episode, so that demonstrated states
and new ones of the same demonstrator are alike. *Trust* in a state is the share of demonstrated
states whose score is as high or higher, and an alarm is a trust below a threshold.

For exchangeable scores, the next one is among the j highest of n + 1 with a probability of at most
j / (n + 1) (Vovk et al. 2005): of states for the rate per step, of the highest scores of whole
episodes for the rate per episode. Steps of an episode resemble each other, so that the rate per
step is that over many episodes, and one episode may have all of its alarms at once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nppac_priors.errors import DataError


def scores_of(std: Tensor) -> Tensor:
    """Scores (B,) float64 of standard deviations (B, A)."""
    return std.double().log().mean(1)


class Alarm:
    """Scores of n demonstrated states and of their E episodes.

    Args:
        scores: (n,), float64.
        episode_scores: (E,), the highest of each episode.
    """

    def __init__(self, scores: Tensor, episode_scores: Tensor) -> None:
        """Sort the scores of episodes."""
        self.scores = scores
        self.episode_scores = episode_scores.sort().values

    @classmethod
    def of(cls, std: Tensor, episode_lengths: Tensor) -> Alarm:
        """From standard deviations (n, A), each by a prior without the episode of its state.

        Raises:
            DataError: They are the same everywhere, which no state could be told from.
        """
        scores = scores_of(std)
        if scores.max() == scores.min():
            raise DataError("the prior is equally sure of all states; it can tell none apart")
        highest = [part.max() for part in scores.split(episode_lengths.tolist())]
        return cls(scores, torch.stack(highest))

    def trust(self, scores: Tensor) -> Tensor:
        """Shares (B,) float64 of the demonstrated states with scores as high or higher."""
        return (self.scores >= scores[:, None]).sum(1).double() / len(self.scores)

    def threshold(
        self, *, per_step: float | None = None, per_episode: float | None = None
    ) -> float:
        """Below which trust is an alarm, for a largest share of false ones.

        Args:
            per_step: Of steps, as the demonstrator would make them.
            per_episode: Of episodes with any alarm; give one of the two.

        Raises:
            DataError: Both or none are given, a rate is not between 0 and 1, or there are too few
                demonstrations for it.
        """
        if (per_step is None) == (per_episode is None):
            raise DataError("threshold: give either per_step or per_episode")
        if per_step is not None:
            place = _place(per_step, len(self.scores), "states")
            return place / len(self.scores)
        assert per_episode is not None
        place = _place(per_episode, len(self.episode_scores), "episodes")
        higher = int((self.scores > self.episode_scores[-place]).sum())
        return (higher + 1) / len(self.scores)


def _place(rate: float, count: int, what: str) -> int:
    """j of j / (count + 1) <= rate."""
    if not 0 < rate < 1:
        raise DataError(f"threshold: a rate of false alarms lies between 0 and 1, got {rate:g}")
    place = math.floor(rate * (count + 1) + 1e-9)
    if place < 1:
        raise DataError(
            f"threshold: {count} demonstrated {what} allow no rate of false alarms below "
            f"{1 / (count + 1):.3g}, got {rate:g}; raise it"
        )
    return place
