"""A plugin that fails within `nppac-prior`: one line that names it, and exit code 3."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nppac_priors.registry import prior_registry

SOURCE = """
import sys
from typing import Literal
from nppac_priors import PriorConfig, hookimpl

class Mine(PriorConfig):
    kind: Literal["mine"] = "mine"
    def _fit(self, states, actions, **options):
        {fit}
    def from_state(self, tensors, *, device="cpu"): ...

@hookimpl
def nppac_prior_configs(): return [Mine]
"""


@pytest.fixture
def fit_with(nppac_prior, distribution, data):
    """Fits a prior whose `_fit` is the given statement."""

    def run(statement, *options):
        distribution("acme-priors", "2.1", "acme_cli", SOURCE.format(fit=statement))
        prior_registry.cache_clear()
        return nppac_prior("fit", data, "mine", "--output", "p.safetensors", "--quiet", *options)

    yield run
    prior_registry.cache_clear()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("return None", ": prior 'mine': _fit() returned None, has to return a Prior"),
        ("return [1.0]", ": prior 'mine': _fit() returned a list, has to return a Prior"),
        ("raise KeyError('x')", " failed in acme_cli.Mine._fit, line 9: KeyError: 'x'"),
        ("open('none')", " failed in acme_cli.Mine._fit, line 9: FileNotFoundError: [Errno 2]"),
        ("sys.exit()", " failed in acme_cli.Mine._fit, line 9: SystemExit"),
        ("raise SystemExit(0)", " failed in acme_cli.Mine._fit, line 9: SystemExit: 0"),
    ],
)
def test_a_fault_of_a_plugin_is_one_line_with_its_name(fit_with, statement, reason):
    result = fit_with(statement)
    assert result.code == 3
    (line,) = result.err
    assert line.startswith(f"error: plugin acme-priors 2.1{reason}")
    assert not Path("p.safetensors").exists()


def test_an_error_that_says_what_is_wrong_stays_what_it_is(fit_with):
    statement = "from nppac_priors.errors import DataError; raise DataError('states: too few')"
    assert fit_with(statement) == (2, "", ["error: states: too few"])


def test_debug_shows_where_the_plugin_failed(fit_with):
    result = fit_with("sys.exit()", "--debug")
    assert result.code == 3
    assert result.err[0] == "Traceback (most recent call last):"
    assert result.err[-1].startswith("error: plugin acme-priors 2.1 failed in")


@pytest.mark.parametrize(
    ("name", "told"),
    [("NPPAC_WITHOUT_PLUGINS", "names it"), ("NPPAC_PLUGINS", "does not name it")],
)
def test_kinds_tells_what_is_left_out(nppac_prior, distribution, monkeypatch, name, told):
    distribution("acme-priors", "2.1", "acme_cli", "raise SystemExit")
    monkeypatch.setenv(name, "acme-priors" if name == "NPPAC_WITHOUT_PLUGINS" else "")
    prior_registry.cache_clear()
    assert nppac_prior("kinds").out.splitlines()[-1] == f"acme-priors 2.1: {name} {told}"
    assert "exact-gp" in {row["kind"] for row in json.loads(nppac_prior("kinds", "--json").out)}
    prior_registry.cache_clear()


def test_a_broken_plugin_leaves_the_json_readable(nppac_prior, distribution):
    distribution("acme-priors", "2.1", "acme_cli", "print('noise'); raise SystemExit")
    prior_registry.cache_clear()
    assert "exact-gp" in {row["kind"] for row in json.loads(nppac_prior("kinds", "--json").out)}
    assert "acme-priors 2.1: SystemExit" in nppac_prior("kinds").out
    prior_registry.cache_clear()
