"""Conformance tests that any method's test module calls in three lines; needs pytest.

    from nppac_agents.testing import MethodConformance

    class TestMyMethod(MethodConformance):
        method = MyMethod(policy_hidden=(16,), critic_hidden=(16,))

Each test is one rule of the contract (`Method`). The method is built on a point of 4 observations
and 2 actions with 100 demonstrated transitions; its `kind` has to be registered.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
import torch
from nppac_priors import Prior
from nppac_priors.errors import NppacError
from tianshou.data import Collector
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OfflineTrainerParams, OffPolicyTrainerParams, OnPolicyTrainerParams
from torch import Tensor

from nppac_agents import conformance_world as world
from nppac_agents.agent import Agent
from nppac_agents.data.replay import TensorReplay
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.methods.base import Method

_BATCH = 40
_NO_TORCH = """import importlib, sys
sys.path[:0] = {path!r}
for module in {modules!r}: importlib.import_module(module)
sys.exit('torch' in sys.modules)"""


class MethodConformance:
    """Base class of conformance tests; a subclass sets `method`.

    Attributes:
        method: What to test, with small networks and short phases.
    """

    method: ClassVar[Method]

    @pytest.fixture(scope="class")
    @classmethod
    def prior(cls) -> Prior | None:
        """A Gaussian prior, for methods that use one."""
        return world.gaussian_prior(world.demonstrations()) if cls.method.uses_prior else None

    def _agent(self, prior: Prior | None, seed: int = 0) -> Agent:
        return self.method.build(
            world.spaces(),
            prior,
            world.demonstrations(),
            generator=torch.Generator().manual_seed(seed),
        )

    def _learned(self, prior: Prior | None, seed: int = 0, updates: int = 5) -> Agent:
        agent = self._agent(prior, seed)
        agent.prepare()
        for update in range(updates):
            _step(agent, update)
        return agent

    def test_the_config_is_registered_and_survives_json(self) -> None:
        """A file holds all of it, under its kind."""
        data = self.method.model_dump(mode="json")
        assert agent_registry().parse(data) == self.method

    def test_every_field_is_described_and_has_a_default(self) -> None:
        """Descriptions reach the JSON schema; `kind` alone selects a method."""
        fields = type(self.method).model_fields.items()
        missing = [name for name, field in fields if name != "kind" and not field.description]
        assert not missing, f"fields without a description: {missing}"
        required = [name for name, field in fields if field.is_required()]
        assert not required, f"fields without a default: {required}"

    def test_its_module_imports_no_torch(self) -> None:
        """Listing and validating methods stays instant."""
        module = type(self.method).__module__
        registered = {part.cls.__module__ for part in agent_registry().components.values()}
        together = _without_torch(tuple(sorted({module, *registered})))
        problem = together and _without_torch((module,))
        assert not problem, problem

    def test_losses_are_finite_scalars_without_gradient(self, prior: Prior | None) -> None:
        """Of every update."""
        agent = self._agent(prior)
        agent.prepare()
        for update in range(3):
            losses = _step(agent, update)
            assert losses, "an update reports something"
            for name, value in losses.items():
                assert value.shape == (), f"{name} is no scalar"
                assert value.isfinite(), f"{name} is not finite"
                assert not value.requires_grad, f"{name} asks for a gradient"

    def test_the_generator_decides_what_is_learned(self, prior: Prior | None) -> None:
        """Same seed, same state, wherever the global generator is at; another seed, others."""
        torch.manual_seed(1)
        one = self._learned(prior).state()
        torch.manual_seed(2)
        _assert_equal(self._learned(prior).state(), one)
        other = self._learned(prior, seed=1).state()
        weights = [name for name in one if name.startswith("part.policy")]
        assert any(not torch.equal(one[name], other[name]) for name in weights)

    def test_a_restored_copy_goes_on_equally(self, prior: Prior | None) -> None:
        """`state()` is complete: what is learned and done afterwards is equal to the bit."""
        agent, copy = self._learned(prior), self._learned(prior, seed=8, updates=2)
        copy.load_state({name: value.clone() for name, value in agent.state().items()})
        for update in range(5, 10):
            _step(agent, update)
            _step(copy, update)
        _assert_equal(copy.state(), agent.state())
        states = world.demonstrations().states[:3]
        for deterministic in (True, False):
            one, other = (each.act(states, deterministic=deterministic) for each in (agent, copy))
            assert np.array_equal(one, other)

    def test_every_part_that_moves_is_in_the_state(self, prior: Prior | None) -> None:
        """And so is nothing that is not a part: all weights of the agent are those of its parts."""
        agent = self._learned(prior)
        state = agent.state()
        assert "policy" in agent.parts._fields
        for name in agent.parts._fields:
            assert any(key.startswith(f"part.{name}.") for key in state), f"part {name} is missing"
        owned = {id(weight) for part in agent.parts for weight in part.parameters()}
        strangers = [name for name, weight in agent.named_parameters() if id(weight) not in owned]
        assert not strangers, f"weights outside of the parts: {strangers}"

    def test_phases_are_well_formed(self, prior: Prior | None) -> None:
        """Different names, lengths of one or more, only the last one without a length."""
        phases = self._agent(prior).phases
        names = [phase.name for phase in phases]
        assert names, "there is no phase"
        assert all(names), f"a phase has no name: {names}"
        assert len(set(names)) == len(names), f"names are given twice: {names}"
        assert all(phase.length is None or phase.length >= 1 for phase in phases)
        assert all(phase.length is not None for phase in phases[:-1]), "no end before the last"
        assert any(phase.update is not None for phase in phases), "some phase learns"
        for phase in phases:
            assert not (phase.prepares and phase.interacts), f"{phase.name} prepares alone"

    def test_actions_have_their_shape_and_type(self, prior: Prior | None) -> None:
        """(B, S) in, (B, A) float32 out, finite, for B of one and of several."""
        agent = self._learned(prior)
        for batch in (1, 7):
            for deterministic in (True, False):
                states = world.demonstrations().states[:batch]
                actions = agent.act(states, deterministic=deterministic)
                assert actions.shape == (batch, agent.spaces.action_dim)
                assert actions.dtype == np.float32
                assert np.isfinite(actions).all()

    def test_the_deterministic_policy_draws_nothing(self, prior: Prior | None) -> None:
        """It answers equally and moves no generator, so that an evaluation changes no run."""
        agent = self._learned(prior)
        states = world.demonstrations().states[:7]
        before, everywhere = agent.state(), torch.get_rng_state()
        first = agent.act(states, deterministic=True)
        assert np.array_equal(agent.act(states, deterministic=True), first)
        _assert_equal(agent.state(), before)
        assert torch.equal(torch.get_rng_state(), everywhere), "torch's global generator moved"

    def test_without_demonstrations_it_is_built_or_refused(self, prior: Prior | None) -> None:
        """By an error of this project, in one line."""
        self._built_or_refused(prior, None)

    def test_without_a_prior_it_is_built_or_refused(self) -> None:
        """By an error of this project, in one line."""
        self._built_or_refused(None, world.demonstrations())

    def test_a_prior_that_is_not_gaussian_arrives_or_is_refused(self) -> None:
        """It is `agent.prior`, whatever its distribution, and never dropped without a word."""
        if not self.method.uses_prior:
            pytest.skip("the method uses no prior")
        given = world.demonstrations()
        prior = world.TwoModes().fit(given.states, given.actions)
        agent = self._built_or_refused(prior, given)
        assert agent is None or agent.prior is prior

    def _built_or_refused(self, prior: Prior | None, demonstrations: Any) -> Agent | None:
        generator = torch.Generator().manual_seed(0)
        try:
            agent = self.method.build(world.spaces(), prior, demonstrations, generator=generator)
            agent.prepare()
        except NppacError as error:
            assert "\n" not in str(error)  # noqa: PT017
            return None
        return agent

    def test_it_learns_under_tianshous_trainer(self, prior: Prior | None) -> None:
        """The one that its `trainer` names."""
        agent = self._agent(prior)
        agent.prepare()
        before = [weight.detach().clone() for weight in agent.parts.policy.parameters()]
        agent.run_training(_trainer(agent))
        assert agent.updates > 0
        after = list(agent.parts.policy.parameters())
        assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


def tianshou_trainer(
    agent: Agent,
    replay: TensorReplay,
    make_env: Callable[[], gymnasium.Env[Any, Any]],
    *,
    steps: int,
    epoch_steps: int,
    epochs: int = 1,
) -> OfflineTrainerParams | OffPolicyTrainerParams | OnPolicyTrainerParams:
    """What `Agent.run_training` takes in a plain Tianshou script.

    Args:
        agent: Its method's `trainer` chooses the kind.
        replay: Of the agent, made for two environments unless it learns offline.
        make_env: Makes one of the two that the agent plays in.
        steps: Played before each update of an on-policy agent, or before `steps` / 2 of another.
        epoch_steps: Steps of an epoch, or updates of one that learns offline.
        epochs: How many.
    """
    quiet: dict[str, Any] = {"max_epochs": epochs, "verbose": False, "show_progress": False}
    quiet["epoch_num_steps"] = epoch_steps
    if agent.method.trainer == "offline":
        return OfflineTrainerParams(buffer=replay, batch_size=32, **quiet)
    envs = DummyVectorEnv([make_env for _ in range(2)])
    collecting: dict[str, Any] = quiet | {
        "training_collector": Collector(agent.policy, envs, replay),
        "collection_step_num_env_steps": steps,
        "test_in_training": False,
    }
    if agent.method.trainer == "on-policy":
        return OnPolicyTrainerParams(batch_size=None, **collecting)
    return OffPolicyTrainerParams(
        batch_size=32, update_step_num_gradient_steps_per_sample=0.5, **collecting
    )


@functools.cache
def _without_torch(modules: tuple[str, ...]) -> str:
    """What goes wrong where a new process imports these modules and torch is not to come along."""
    path = [entry for entry in sys.path if entry]
    code = _NO_TORCH.format(path=path, modules=modules)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    return done.stderr or "importing the method's module imports torch"


def _step(agent: Agent, seed: int) -> dict[str, Tensor]:
    """One update on consecutive transitions, which are also whole episodes in order."""
    start = 20 * (seed % 4)
    return agent.step(agent.layout.unpack(agent.demonstrated[start : start + _BATCH]))


def _assert_equal(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert actual.keys() == expected.keys()
    different = [name for name, value in expected.items() if not torch.equal(actual[name], value)]
    assert not different, f"these differ: {different}"


def _trainer(agent: Agent) -> Any:
    offline = agent.method.trainer == "offline"
    steps = agent.consumed_steps or _BATCH
    generator = torch.Generator().manual_seed(0)
    replay = agent.make_replay(*((1, 1) if offline else (2 * steps, 2)), generator)
    epoch_steps = 10 if offline else 2 * steps
    return tianshou_trainer(agent, replay, world.make_env, steps=steps, epoch_steps=epoch_steps)
