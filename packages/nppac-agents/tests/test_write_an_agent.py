"""The methods of `docs/write-an-agent.md`, taken from the page and used."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from nppac_agents import Method
from nppac_agents import conformance_world as world
from nppac_agents.testing import MethodConformance
from nppac_priors import ConfigError
from nppac_priors.registry import Registry

PAGE = Path(__file__).parents[3] / "docs" / "write-an-agent.md"


SMALL = {"policy_hidden": (8,), "critic_hidden": (8,), "batch_size": 16}


def blocks(language):
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page's Python, in one module of the name that its entry point has."""
    path = tmp_path_factory.mktemp("page") / "my_methods.py"
    path.write_text("\n\n".join(blocks("python")))
    spec = importlib.util.spec_from_file_location("my_methods", path)
    module = sys.modules["my_methods"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["my_methods"]


def built(method, prior=None):
    generator = torch.Generator().manual_seed(0)
    return method.build(world.spaces(), prior, world.demonstrations(), generator=generator)


def batch_of(agent, **columns):
    """Sixteen demonstrated transitions, with some columns replaced."""
    rows = agent.layout.unpack(agent.demonstrated[:16])
    return type(rows)(**{name: getattr(rows, name) for name in rows.__slots__} | columns)


CHECKS = [
    "test_losses_are_finite_scalars_without_gradient",
    "test_a_restored_copy_goes_on_equally",
    "test_every_part_that_moves_is_in_the_state",
    "test_without_demonstrations_it_is_built_or_refused",
]


@pytest.mark.parametrize("name", ["WideSAC", "SACBC", "ThriftySAC", "FlooredSAC", "LikelySAC"])
def test_the_pages_methods_are_offered_and_pass_the_kit(page, name):
    cls = getattr(page, name)
    assert cls in page.nppac_agent_configs()
    kit = MethodConformance()
    kit.method = cls(**SMALL)
    prior = world.gaussian_prior(world.demonstrations()) if cls.uses_prior else None
    for check in CHECKS:
        getattr(kit, check)(prior)


@pytest.mark.parametrize(("budget", "direction"), [(1e-12, 1.0), (10.0, -1.0)])
def test_the_price_rises_while_the_budget_is_exceeded_only(page, budget, direction):
    agent = built(page.ThriftySAC(budget=budget, **SMALL))
    for _ in range(3):
        losses = agent.step(batch_of(agent))
    assert (losses["price"].item() - 1.0) * direction > 0.01
    assert losses["spent"] > 0


@pytest.mark.parametrize(("seen", "moves"), [(1e3, True), (torch.finfo(torch.float32).min, False)])
def test_the_target_is_lifted_to_a_return_that_is_known_and_higher(page, seen, moves):
    losses = []
    for cls in (page.SAC, page.FlooredSAC):
        agent = built(cls(**SMALL))
        column = {"extra": {"return_to_go": torch.full((16,), seen)}}
        losses.append(agent.step(batch_of(agent, **column))["critic_loss"].item())
    assert (losses[1] > 1e5) == moves
    assert (losses[0] == losses[1]) != moves


@pytest.mark.medium
def test_a_prior_of_two_modes_draws_the_policy_to_one_of_them(page):
    given = world.demonstrations()
    prior = world.TwoModes().fit(given.states, given.actions)
    agent = built(page.LikelySAC(weight=10.0, policy_learning_rate=2e-2, **SMALL), prior)
    for _ in range(50):
        agent.step(batch_of(agent))
    actions = agent.act(given.states[:16], deterministic=True)
    assert abs(abs(actions) - 0.5).mean() < 0.1
    with pytest.raises(ConfigError, match="'likely-sac' needs a prior"):
        built(page.LikelySAC(**SMALL))


def test_the_pages_entry_point_is_found(page):
    (written,) = blocks("toml")
    ((group, named),) = tomllib.loads(written)["project"]["entry-points"].items()
    points = [importlib.metadata.EntryPoint(name, value, group) for name, value in named.items()]
    registry = Registry.of(group.replace(".", "_"), Method, entry_points=points)
    assert not registry.broken
    assert registry.get("thrifty-sac") is page.ThriftySAC
