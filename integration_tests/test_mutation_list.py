"""The list of faults is up to date: each stands in a source of today and names tests of today."""

from __future__ import annotations

import ast
import sys

import pytest

from integration_tests.mutations.__main__ import MUTATIONS, main
from integration_tests.mutations.mutation import ROOT, Mutation

pytestmark = pytest.mark.medium


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_it_changes_one_place_of_a_source_and_names_tests(mutation):
    ast.parse(mutation.applied((ROOT / mutation.file).read_text()))
    files = [part for part in mutation.tests if part.endswith(".py")]
    assert files
    assert all((ROOT / file).is_file() for file in files)


def test_no_two_bear_one_name():
    names = [mutation.what for mutation in MUTATIONS]
    assert len(set(names)) == len(names)


def test_a_text_that_is_not_there_once_is_refused():
    mutation = Mutation("nothing", "somewhere.py", "x", "y", ())
    for source in ("", "x x"):
        with pytest.raises(ValueError, match=r"somewhere.py: 'x' is there . times, not once"):
            mutation.applied(source)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_fault_is_reported_as_noticed_or_not(monkeypatch, capsys):
    """One that a test notices, one that changes nothing, one whose tests are not there."""
    file = "packages/nppac-priors/src/nppac_priors/health/verdict.py"
    tests = ("packages/nppac-priors/tests/health/test_verdict.py",)
    found = [
        Mutation("noticed", file, "if ratio < COLLAPSED_RATIO:", "if False:", tests),
        Mutation(
            "equal", file, "if ratio < COLLAPSED_RATIO:", "if COLLAPSED_RATIO > ratio:", tests
        ),
        Mutation("out of date", file, "if ratio < COLLAPSED_RATIO:", "if False:", ("none.py",)),
    ]
    monkeypatch.setattr("integration_tests.mutations.__main__.MUTATIONS", found)
    assert main([]) == 1
    lines = capsys.readouterr().out.splitlines()[-4:]
    assert [line.split()[0] for line in lines[:3]] == ["KILLED", "SURVIVED", "BROKEN"]
    assert "health/test_verdict.py::" in lines[0]
    assert lines[3] == "1 of 3 noticed"
