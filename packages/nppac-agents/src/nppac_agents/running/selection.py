"""Which policy of a run is kept: the one with the best latest evaluations, the first included.

Evaluations of one policy are noisy and a policy may swing from one to the next, so what is compared
is the mean of the last few: a policy that shines once among poor ones is not taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Selection:
    """Compares the policy of each evaluation with the best before it.

    Args:
        measure: the field of an evaluation that is compared; more is better.
        over: evaluations, the latest included, whose mean counts.
    """

    def __init__(self, measure: str, over: int) -> None:
        self.measure = measure
        self.over = over
        self.best = -1
        """Which evaluation was the best, from 0"""
        self._values: list[float] = []
        self._score = -float("inf")

    def prefers(self, evaluation: Mapping[str, float | None]) -> bool:
        """Take in the evaluation of the latest policy: whether it is now the best.

        Of two that are equally good the later one is, which has learned more.
        """
        self._values.append(evaluation[self.measure] or 0.0)
        latest = self._values[-self.over :]
        score = sum(latest) / len(latest)
        if score < self._score:
            return False
        self._score, self.best = score, len(self._values) - 1
        return True

    def replay(self, evaluations: Iterable[Mapping[str, float | None]]) -> None:
        """Take in the evaluations that a resumed run had made before."""
        for evaluation in evaluations:
            self.prefers(evaluation)
