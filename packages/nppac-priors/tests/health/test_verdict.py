from __future__ import annotations

import pytest
from nppac_priors.health.verdict import verdict


@pytest.mark.parametrize(
    ("score", "growth", "ratio", "word", "because"),
    [
        (0.0, 3.0, 1.0, "healthy", "0.0 %"),
        (0.05, 1.0, 0.75, "healthy", "at most 5 %"),
        (0.06, 1.0, 3.0, "overconfident off the data", "6 %"),
        (0.0, 1.0, 0.74, "overconfident off the data", "0.74 times the held-out error"),
        (0.98, 0.8, 0.8, "overconfident off the data", "98 %"),
        (0.0, 1.0, 0.24, "collapsed", "0.24 times the held-out error (below 0.25)"),
        (0.5, 0.49, 3.0, "collapsed", "50 % of the states"),
        (0.98, 1e-6, 1e-6, "collapsed", "0.0 % of it (below 50 %)"),
    ],
)
def test_the_word_and_the_rule(score, growth, ratio, word, because):
    found = verdict(collapse_score=score, growth_ratio=growth, honesty_ratio=ratio, coverage_90=0.9)
    assert found.word == word
    assert because in found.rule


@pytest.mark.parametrize(
    ("score", "growth", "ratio", "nearly"),
    [
        (0.0, 3.0, 0.83, None),
        (0.0, 3.0, 0.82, "overconfident off the data"),
        (0.045, 3.0, 1.0, None),
        (0.046, 3.0, 1.0, "overconfident off the data"),
        (0.06, 3.0, 0.28, None),
        (0.06, 3.0, 0.27, "collapsed"),
        (0.6, 0.56, 3.0, None),
        (0.6, 0.54, 3.0, "collapsed"),
        (0.98, 0.1, 0.1, None),
    ],
)
def test_a_threshold_that_is_nearly_met_is_told_of(score, growth, ratio, nearly):
    found = verdict(collapse_score=score, growth_ratio=growth, honesty_ratio=ratio, coverage_90=0.9)
    assert ("nearly" in found.rule) == (nearly is not None)
    if nearly is not None:
        assert f"nearly {nearly}, which a tenth" in found.rule


@pytest.mark.parametrize(
    ("went", "word"),
    [
        (None, "healthy"),
        ((0.0, 1.0, 1.0), "healthy"),
        ((0.3, 0.9, 1.0), "overconfident off the data"),
        ((0.9, 0.1, 1.0), "collapsed"),
    ],
)
def test_the_worse_of_moved_and_visited_states_counts(went, word):
    numbers = {"collapse_score": 0.0, "growth_ratio": 3.0, "honesty_ratio": 2.0}
    found = verdict(**numbers, coverage_90=0.9, visited=went)
    assert found.word == word
    assert ("at the visited states" in found.rule) == (word != "healthy")
    collapsed = verdict(
        collapse_score=1.0, growth_ratio=0.1, honesty_ratio=0.1, coverage_90=0.9, visited=went
    )
    assert (collapsed.word, "visited" in collapsed.rule) == ("collapsed", False)


@pytest.mark.parametrize(
    ("coverage", "word"),
    [(0.84, "overconfident"), (0.86, "calibrated"), (0.94, "calibrated"), (0.96, "underconfident")],
)
def test_the_word_on_held_out_episodes(coverage, word):
    found = verdict(collapse_score=0.0, growth_ratio=2.0, honesty_ratio=1.0, coverage_90=coverage)
    assert found.on_held_out == word
