from __future__ import annotations

import logging

import pytest
from nppac_priors.errors import DuplicateKindError, PluginLoadError, UnknownKindError
from nppac_priors.registry import prior_registry

pytestmark = pytest.mark.medium

load = prior_registry.__wrapped__


def test_builtin_priors_come_with_their_distribution():
    component = load().components["exact-gp"]
    assert (component.kind, component.distribution) == ("exact-gp", "nppac-priors")
    assert component.cls.__name__ == "ExactGPConfig"


def test_a_plugin_provides_its_kind(distribution, plugin_source):
    distribution("acme-priors", "2.1", "acme", plugin_source("acme-gp"))
    registry = load()
    component = registry.components["acme-gp"]
    assert (component.distribution, component.version) == ("acme-priors", "2.1")
    assert registry.parse({"kind": "acme-gp", "width": 3}).width == 3
    assert list(registry.components) == sorted(registry.components)
    assert registry.broken == ()


@pytest.mark.parametrize(
    ("source", "exception", "mentions"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError", "no_such_module_anywhere"),
        ("raise RuntimeError('two\\nlines')", "RuntimeError", "two lines"),
        (
            "from nppac_priors import hookimpl\n@hookimpl\ndef nppac_prior_confgs(): return []",
            "PluginValidationError",
            "nppac_prior_confgs",
        ),
        (
            "from nppac_priors import hookimpl\n@hookimpl\ndef nppac_prior_configs(x): return []",
            "PluginValidationError",
            "x",
        ),
        ("def nppac_prior_configs(): return []", "PluginError", "hookimpl"),
        (
            "from nppac_priors import hookimpl\n@hookimpl\ndef nppac_prior_configs(): return int",
            "PluginError",
            "list of classes",
        ),
        (
            "from nppac_priors import hookimpl\n@hookimpl\ndef nppac_prior_configs(): return [int]",
            "PluginError",
            "not a subclass of nppac_priors.config.PriorConfig",
        ),
        (
            "from nppac_priors import hookimpl\n@hookimpl\ndef nppac_prior_configs(): return 1 / 0",
            "ZeroDivisionError",
            "division",
        ),
    ],
)
def test_a_broken_plugin_is_recorded_and_costs_nobody_else(
    distribution, plugin_source, caplog, source, exception, mentions
):
    distribution("broken-priors", "0.3", "broken_plugin", source)
    distribution("zeta-priors", "1.0", "zeta", plugin_source("zeta"))
    with caplog.at_level(logging.WARNING):
        registry = load()
    assert {"exact-gp", "zeta"} <= set(registry.components)
    (broken,) = registry.broken
    assert (broken.distribution, broken.version) == ("broken-priors", "0.3")
    assert broken.entry_point == "broken_plugin"
    assert type(broken.exception).__name__ == exception
    assert mentions in str(broken)
    (record,) = caplog.records
    message = record.getMessage()
    assert "broken-priors 0.3" in message
    assert "pip uninstall broken-priors" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("declaration", "mentions"),
    [
        ("kind: str = 'x'", "Literal"),
        ("kind: Literal['x', 'y'] = 'x'", "Literal"),
        ("kind: Literal['x']", "Literal"),
        ("kind: Literal['x'] = 'y'", "Literal"),
        ("kind: Literal['Upper'] = 'Upper'", "does not match"),
        ("kind: Literal['1st'] = '1st'", "does not match"),
        ("kind: Literal['with space'] = 'with space'", "does not match"),
    ],
)
def test_a_class_with_an_invalid_kind_makes_its_plugin_broken(
    distribution, plugin_source, declaration, mentions
):
    source = plugin_source("replaced").replace(
        'kind: Literal["replaced"] = "replaced"', declaration
    )
    distribution("acme-priors", "2.1", "acme", source)
    (broken,) = load().broken
    assert mentions in str(broken)


def test_an_abstract_class_makes_its_plugin_broken(distribution, plugin_source):
    source = "\n".join(
        line for line in plugin_source("acme").splitlines() if "from_state" not in line
    )
    distribution("acme-priors", "2.1", "acme", source)
    (broken,) = load().broken
    assert "abstract" in str(broken)
    assert "from_state" in str(broken)


def test_strict_mode_raises_what_the_plugin_raised(distribution, monkeypatch):
    distribution("broken-priors", "0.3", "broken_plugin", "import no_such_module_anywhere")
    monkeypatch.setenv("NPPAC_STRICT_PLUGINS", "1")
    with pytest.raises(PluginLoadError, match=r"broken-priors 0\.3") as caught:
        load()
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_strict_mode_is_off_at_zero(distribution, monkeypatch):
    distribution("broken-priors", "0.3", "broken_plugin", "import no_such_module_anywhere")
    monkeypatch.setenv("NPPAC_STRICT_PLUGINS", "0")
    assert len(load().broken) == 1


@pytest.mark.parametrize(
    ("allowed", "loaded"),
    [
        ("", set()),
        ("acme-priors", {"acme"}),
        ("Acme_Priors", {"acme"}),
        ("zeta.priors , acme-priors", {"acme", "zeta"}),
        ("nobody", set()),
    ],
)
def test_the_allow_list_names_distributions(
    distribution, plugin_source, monkeypatch, allowed, loaded
):
    distribution("acme-priors", "2.1", "acme", plugin_source("acme"))
    distribution("zeta-priors", "1.0", "zeta", plugin_source("zeta"))
    monkeypatch.setenv("NPPAC_PLUGINS", allowed)
    registry = load()
    assert set(registry.components) & {"acme", "zeta"} == loaded
    assert "exact-gp" in registry.components


def test_the_allow_list_ignores_how_a_distribution_spells_its_name(
    distribution, plugin_source, monkeypatch
):
    distribution("Acme.Priors", "2.1", "acme", plugin_source("acme"))
    monkeypatch.setenv("NPPAC_PLUGINS", "acme-priors")
    assert "acme" in load().components


def test_a_plugin_outside_the_allow_list_is_not_imported(distribution, monkeypatch):
    distribution("broken-priors", "0.3", "broken_plugin", "raise RuntimeError")
    monkeypatch.setenv("NPPAC_PLUGINS", "")
    registry = load()
    assert registry.broken == ()
    with pytest.raises(UnknownKindError, match=r"left out: broken-priors 0\.3 \(NPPAC_PLUGINS"):
        registry.get("broken")


def test_one_kind_from_two_distributions_costs_that_kind_and_names_both(
    distribution, plugin_source
):
    distribution("acme-priors", "2.1", "acme", plugin_source("same"))
    distribution("zeta-priors", "1.0", "zeta", plugin_source("same"))
    registry = load()
    assert registry.get("exact-gp")
    with pytest.raises(DuplicateKindError) as caught:
        registry.get("same")
    message = str(caught.value)
    for part in ("'same'", "acme-priors 2.1", "zeta-priors 1.0", "NPPAC_PLUGINS"):
        assert part in message


def test_the_kind_of_a_builtin_prior_cannot_be_replaced(distribution, plugin_source):
    distribution("acme-priors", "2.1", "acme", plugin_source("exact-gp"))
    with pytest.raises(DuplicateKindError, match=r"nppac-priors .* and by acme-priors 2\.1"):
        load().get("exact-gp")


@pytest.mark.parametrize("group", ["nppac.prior", "nppac_priors", "npac.priors"])
def test_a_misspelt_group_is_a_broken_plugin_of_the_one_that_was_meant(
    distribution, plugin_source, group
):
    distribution("acme-priors", "2.1", "acme", plugin_source("acme"), group=group)
    registry = load()
    (broken,) = registry.broken
    assert broken.distribution == "acme-priors"
    assert f"{group!r} does not exist (did you mean 'nppac.priors'?)" in broken.reason
    with pytest.raises(UnknownKindError, match="may provide it: acme-priors"):
        registry.get("acme")


@pytest.mark.parametrize("group", ["nppac.agents", "pytest11", "console_scripts", "nppac.agent"])
def test_a_group_that_means_something_else_is_none_of_ours(distribution, plugin_source, group):
    distribution("acme-priors", "2.1", "acme", plugin_source("acme"), group=group)
    assert load().broken == ()


def test_entry_points_of_one_name_in_two_distributions_both_load(distribution, plugin_source):
    distribution("acme-priors", "2.1", "acme", plugin_source("acme"), {"gp": "acme"})
    distribution("zeta-priors", "1.0", "zeta", plugin_source("zeta"), {"gp": "zeta"})
    assert {"acme", "zeta"} <= set(load().components)


def test_one_class_through_two_entry_points_is_one_component(distribution, plugin_source):
    source = plugin_source("acme")
    distribution("acme-priors", "2.1", "acme", source, {"first": "acme", "second": "acme"})
    registry = load()
    assert registry.components["acme"].distribution == "acme-priors"
    assert registry.broken == ()


def test_an_unknown_kind_names_the_plugins_that_failed_to_load(distribution):
    distribution("broken-priors", "0.3", "broken_plugin", "import no_such_module_anywhere")
    with pytest.raises(UnknownKindError, match=r"failed to load .* broken-priors 0\.3"):
        load().get("wanted")


@pytest.mark.parametrize(
    ("refused", "loaded"),
    [
        ("", {"acme", "zeta"}),
        ("acme-priors", {"zeta"}),
        ("Acme_Priors, zeta.priors", set()),
        ("nobody", {"acme", "zeta"}),
    ],
)
def test_plugins_can_be_left_out_by_name(distribution, plugin_source, monkeypatch, refused, loaded):
    distribution("acme-priors", "2.1", "acme", plugin_source("acme"))
    distribution("zeta-priors", "1.0", "zeta", plugin_source("zeta"))
    monkeypatch.setenv("NPPAC_WITHOUT_PLUGINS", refused)
    registry = load()
    assert set(registry.components) & {"acme", "zeta"} == loaded
    assert {plugin.distribution for plugin in registry.left_out} == {
        f"{name}-priors" for name in {"acme", "zeta"} - loaded
    }


def test_a_plugin_that_is_left_out_is_not_imported(distribution, monkeypatch):
    distribution("broken-priors", "0.3", "broken_plugin", "raise RuntimeError")
    monkeypatch.setenv("NPPAC_WITHOUT_PLUGINS", "broken-priors")
    monkeypatch.setenv("NPPAC_PLUGINS", "broken-priors")
    registry = load()
    assert registry.broken == ()
    (left_out,) = registry.left_out
    assert str(left_out) == "broken-priors 0.3 (NPPAC_WITHOUT_PLUGINS names it)"
