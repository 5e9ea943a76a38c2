"""The verdict on a prior, in words, with the rule that gave it.

Three quantities decide. The *collapse score*: the share of states off the data where the prior is
surer than it is on its data. The *growth ratio*: its median standard deviation off the data over
that on the data. The *honesty ratio*: the same over its root mean squared error on held-out
demonstrations. A prior that knows how little it knows claims off the data at least the error that
it makes even where demonstrators go.

States off the data are demonstrated ones moved in all directions, and, where they were recorded,
those that the mean of a prior visits: the worse of the two counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Word = Literal["healthy", "overconfident off the data", "collapsed"]

COLLAPSED_SCORE, OVERCONFIDENT_SCORE = 0.5, 0.05
COLLAPSED_GROWTH = 0.5
COLLAPSED_RATIO, OVERCONFIDENT_RATIO = 0.25, 0.75
COVERAGE_TOLERANCE = 0.05
MARGIN = 0.1
"""A threshold is nearly met where a tenth more or less would have met it."""
SAW_ALL = (
    "It was fitted to these episodes, too: what is measured on them flatters it, and its error "
    "there, which the verdict takes, is too small."
)
WORDS: tuple[Word, ...] = ("healthy", "overconfident off the data", "collapsed")


@dataclass(frozen=True)
class Verdict:
    """What to think of a prior.

    Attributes:
        word: `healthy`, `overconfident off the data`, or `collapsed`.
        rule: One sentence with the rule and the numbers that met it.
        on_held_out: `calibrated`, `overconfident` or `underconfident` on held-out demonstrations.
    """

    word: Word
    rule: str
    on_held_out: Literal["calibrated", "overconfident", "underconfident"]


def verdict(
    *,
    collapse_score: float,
    growth_ratio: float,
    honesty_ratio: float,
    coverage_90: float,
    visited: tuple[float, float, float] | None = None,
) -> Verdict:
    """Judge a prior.

    Args:
        collapse_score: Share of off-data states whose std is below the on-data median.
        growth_ratio: Median off-data std over median on-data std.
        honesty_ratio: Median off-data std over held-out RMSE, both averaged over dimensions.
        coverage_90: Observed coverage of the central 90 % intervals on held-out demonstrations.
        visited: The first three at visited states off the data; None where there are too few.
    """
    word, rule = _judged(collapse_score, growth_ratio, honesty_ratio)
    if visited is not None:
        there, why = _judged(*visited)
        if WORDS.index(there) > WORDS.index(word):
            word, rule = there, f"at the visited states, {why}"
    on_held_out = "calibrated"
    if coverage_90 < 0.9 - COVERAGE_TOLERANCE:
        on_held_out = "overconfident"
    elif coverage_90 > 0.9 + COVERAGE_TOLERANCE:
        on_held_out = "underconfident"
    return Verdict(word, rule, on_held_out)


def percent(share: float, digits: int = 0) -> str:
    """`92.2 %`."""
    return f"{share:.{digits}%}".replace("%", " %")


def _judged(score: float, growth: float, ratio: float) -> tuple[Word, str]:
    """The word and its rule, with the next worse word where its threshold is nearly met."""
    word, rule = _off_data(score, growth, ratio)
    worse, _ = _off_data(
        min(score * (1 + MARGIN), 1.0), growth / (1 + MARGIN), ratio / (1 + MARGIN)
    )
    if worse == word:
        return word, rule
    return word, f"{rule}; nearly {worse}, which a tenth of one of these numbers decides"


def _off_data(score: float, growth: float, ratio: float) -> tuple[Word, str]:
    surer = "of the states off the data have a standard deviation below the on-data median"
    claims = f"off the data the median standard deviation is {ratio:.2f} times the held-out error"
    if score >= COLLAPSED_SCORE and growth < COLLAPSED_GROWTH:
        return "collapsed", (
            f"{percent(score)} {surer} ({percent(COLLAPSED_SCORE)} or more), and the median there "
            f"is {percent(growth, 1)} of it (below {percent(COLLAPSED_GROWTH)})"
        )
    if ratio < COLLAPSED_RATIO:
        return "collapsed", f"{claims} (below {COLLAPSED_RATIO:g})"
    if score > OVERCONFIDENT_SCORE:
        rule = f"{percent(score)} {surer} (more than {percent(OVERCONFIDENT_SCORE)})"
        return "overconfident off the data", rule
    if ratio < OVERCONFIDENT_RATIO:
        return "overconfident off the data", f"{claims} (below {OVERCONFIDENT_RATIO:g})"
    return "healthy", (
        f"{percent(score, 1)} {surer} (at most {percent(OVERCONFIDENT_SCORE)}), and {claims} "
        f"(at least {OVERCONFIDENT_RATIO:g})"
    )
