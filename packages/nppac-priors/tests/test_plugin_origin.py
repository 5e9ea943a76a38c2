from __future__ import annotations

import importlib

import pytest
from nppac_priors.errors import DataError, PluginFaultError
from nppac_priors.plugin_origin import blamed, plugin_of
from nppac_priors.registry import prior_registry

SOURCE = """
from nppac_priors.errors import DataError

def call(function, *arguments):
    return function(*arguments)

def fail(error):
    raise error
"""


def ours(error):
    raise error


@pytest.fixture
def acme(distribution, plugin_source):
    distribution("acme-priors", "2.1", "acme_origin", SOURCE + plugin_source("acme"))
    prior_registry.__wrapped__()
    return importlib.import_module("acme_origin")


def raised(function, *arguments) -> BaseException:
    try:
        function(*arguments)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("two\nlines"), "ValueError: two lines"),
        (SystemExit(0), "SystemExit: 0"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_an_error_within_a_plugin_names_it_and_the_place(acme, error, reason):
    fault = blamed(raised(acme.fail, error))
    assert isinstance(fault, PluginFaultError)
    assert str(fault) == f"plugin acme-priors 2.1 failed in acme_origin.fail, line 8: {reason}"
    assert fault.__cause__ is error


def test_an_error_below_a_plugin_is_the_plugins(acme):
    fault = blamed(raised(acme.call, ours, ValueError("x")))
    assert str(fault).startswith("plugin acme-priors 2.1 failed in acme_origin.call, line 5:")


def test_an_error_that_passed_through_no_plugin_stays(acme):
    error = raised(ours, ValueError("x"))
    assert blamed(error) is error


@pytest.mark.parametrize("error", [DataError("states: NaN"), KeyboardInterrupt()])
def test_what_is_a_line_already_stays(acme, error):
    assert blamed(raised(acme.fail, error)) is error


def test_builtin_priors_are_no_plugins():
    registry = prior_registry.__wrapped__()
    assert plugin_of(registry.parse({"kind": "exact-gp"})) is None


def test_a_class_from_another_package_of_the_plugin_is_the_plugins(distribution, plugin_source):
    distribution("acme-core", "1.0", "acme_core", plugin_source("core"), group="other")
    source = (
        "from acme_core import PluginConfig\nfrom nppac_priors import hookimpl\n"
        "@hookimpl\ndef nppac_prior_configs(): return [PluginConfig]\n"
    )
    distribution("acme-adapter", "2.1", "acme_adapter", source)
    registry = prior_registry.__wrapped__()
    assert plugin_of(registry.parse({"kind": "core"})) == "acme-adapter 2.1"
