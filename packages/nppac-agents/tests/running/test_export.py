import io
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from nppac_agents import AWAC, BC, BCQ, BEAR, DAPG, IQL, NPPAC, SAC, TD3BC
from nppac_agents.running.export import export, states_to_distil_for
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import load_agent, visited
from nppac_priors import load_policy, load_prior
from nppac_priors.deployed.actors import actor_of
from nppac_priors.deployed.distillation import distilled
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium
SMALL: dict[str, Any] = {"policy_hidden": (16, 8)}
METHODS = {
    "residual": NPPAC(**SMALL),
    "residual, squashed": NPPAC(squash=True, **SMALL),
    "residual, trust region": NPPAC(trust_region=0.5, standardise_states=True, **SMALL),
    "residual, squashed, trust region, variance": NPPAC(
        squash=True, trust_region=2.0, prior_scale="variance", **SMALL
    ),
    "residual, trust region, a share of the std": NPPAC(
        trust_region=0.5, prior_scale=0.25, **SMALL
    ),
    "distilled": NPPAC(start="distilled", standardise_states=True, **SMALL),
    "squashed": SAC(**SMALL),
    "constant std, sigmoid": AWAC(**SMALL),
    "constant std, clamp": IQL(**SMALL),
    "standardised": DAPG(**SMALL),
    "cloned": BC(**SMALL),
    "deterministic": TD3BC(**SMALL),
}
CRITIC: dict[str, Any] = {"critic_hidden": (12, 8), **SMALL}
CHOOSING = {
    "best sample": BEAR(behaviour_hidden=(9,), standardise_states=True, **CRITIC),
    "best sample, normalised": BEAR(behaviour_hidden=(9,), critic_layer_norm=True, **CRITIC),
    "best behaviour": BCQ(behaviour_hidden=(9, 7), standardise_states=True, **CRITIC),
    "best behaviour, normalised": BCQ(
        behaviour_hidden=(9,), critic_layer_norm=True, reach=0.3, **CRITIC
    ),
}


def trained(method, spaces, prior, demonstrations):
    """An agent whose policy has moved away from where it starts."""
    generator = torch.Generator().manual_seed(0)
    prior = prior if method.uses_prior else None
    agent = method.build(spaces, prior, demonstrations, generator=generator)
    with torch.no_grad():
        for part in agent.parts:
            for weight in part.parameters() if hasattr(part, "net") else ():
                weight += 0.3 * torch.randn(weight.shape, generator=generator)
    return agent


@pytest.mark.parametrize("name", METHODS)
def test_an_exported_actor_acts_as_the_policy_in_float64(name, spaces, prior, demonstrations):
    agent = trained(METHODS[name], spaces, prior, demonstrations)
    states = torch.from_numpy(demonstrations.states).double()
    net = agent.parts.policy.net.double()
    spec, tensors = agent.method.deployed(agent)
    actor = actor_of(spec, tensors, 4, 2)
    mean, std = (m.double() for m in prior.moments(demonstrations.states))
    if isinstance(agent.method, NPPAC) and agent.method.start == "residual":
        wanted = net(states, agent.method.normal(mean, std))
    else:
        wanted = net(states)
    found = actor(states, mean, std)
    mode = wanted if isinstance(agent.method, TD3BC) else wanted.mode()
    torch.testing.assert_close(found.mode(), mode, atol=1e-9, rtol=0)
    if not isinstance(agent.method, TD3BC):
        torch.testing.assert_close(found.std, wanted.std, atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", CHOOSING)
def test_an_exported_choice_is_the_methods_in_float64(name, spaces, prior, demonstrations):
    agent = trained(CHOOSING[name], spaces, prior, demonstrations)
    for part in agent.parts:
        if hasattr(part, "net"):
            part.double()
    states = torch.from_numpy(demonstrations.states).double()
    wanted = agent.method.act(agent, states, deterministic=True)
    spec, tensors = agent.method.deployed(agent)
    found = actor_of(spec, tensors, 4, 2)(states)
    torch.testing.assert_close(found.mode(), wanted, atol=1e-9, rtol=0)
    assert not found.std.any()
    first = actor_of(spec, tensors | {"noise": tensors["noise"][:1]}, 4, 2)(states)
    assert (first.mode() != wanted).any(), "the critic chooses"


@pytest.mark.parametrize("name", METHODS | CHOOSING)
def test_in_float32_it_is_the_runs_deterministic_action(name, spaces, prior, demonstrations):
    agent = trained((METHODS | CHOOSING)[name], spaces, prior, demonstrations)
    spec, tensors = agent.method.deployed(agent)
    actor = actor_of(spec, tensors, 4, 2)
    mean, std = prior.moments(demonstrations.states)
    found = actor(torch.from_numpy(demonstrations.states), mean, std).mode()
    wanted = agent.act(demonstrations.states, deterministic=True)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


class Halved(SAC):
    """Acts in a way that no export knows."""

    def act(self, agent, states, *, deterministic):
        return 0.5 * super().act(agent, states, deterministic=deterministic)


def test_a_method_that_acts_in_a_way_of_its_own_is_refused(spaces, prior, demonstrations):
    agent = trained(Halved(**SMALL), spaces, prior, demonstrations)
    with pytest.raises(ConfigError, match="agent 'sac': chooses its actions in a way of its own"):
        agent.method.deployed(agent)


@pytest.fixture
def folder(finished, tmp_path):
    export(finished, tmp_path / "policy", "last", PlainConsole(io.StringIO()))
    return tmp_path / "policy"


def test_the_folder_acts_as_the_run_does(folder, finished, demonstrations):
    policy, agent = load_policy(folder), load_agent(finished, "last")
    wanted = agent.act(demonstrations.states, deterministic=True).clip(-1, 1)
    np.testing.assert_allclose(policy.act(demonstrations.states), wanted, atol=1e-5)
    assert policy.alarm is not None
    assert len(policy.alarm.episode_scores) == demonstrations.n_episodes
    far = policy.trust(demonstrations.states + 5.0)
    assert (far < policy.threshold(per_episode=0.2)).all()
    card = json.loads((folder / "card.json").read_text())
    assert (card["policy"], card["env_steps"], card["agent"]["kind"]) == ("last", 150, "nppac")
    assert card["measures"] == finished.summary()["reported"]
    assert card["run_id"]
    assert card["demonstrations_hash"] == demonstrations.hash


ELSEWHERE = ("nppac_agents", "nppac_envs", "gymnasium", "mujoco", "tianshou", "minari")


def test_it_acts_without_asking_for_agent_or_environment(folder, monkeypatch):
    """Now that everything is imported; `test_isolation` reads what modules import."""
    for name in ELSEWHERE:
        monkeypatch.setitem(sys.modules, name, None)
    policy = load_policy(folder)
    assert policy.act([0.1, 0.2, 0.0, 0.0]).shape == (2,)
    assert 0 <= policy.trust([0.1, 0.2, 0.0, 0.0]) <= 1


@pytest.mark.slow
def test_it_acts_where_there_is_neither_agent_nor_environment(folder):
    code = (
        "import sys\n"
        f"for name in {ELSEWHERE!r}: sys.modules[name] = None\n"
        "from nppac_priors import load_policy\n"
        f"policy = load_policy({str(folder)!r})\n"
        "print(policy.act([0.1, 0.2, 0.0, 0.0]).shape, policy.trust([0.1, 0.2, 0.0, 0.0]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("(2,) ")


def test_units_and_observations_of_a_foreign_environment_go_along(
    finished, tmp_path, point_config, monkeypatch
):
    environment = json.loads(finished.environment.read_text())
    told = {"action_bounds": [[-2.0, 0.0], [2.0, 1.0]], "observation_keys": ["a", "b"]}
    environment["env"] = told
    monkeypatch.setattr(type(point_config), "details", lambda self: told)
    finished.environment.write_text(json.dumps(environment))
    folder = tmp_path / "foreign"
    export(finished, folder, None, PlainConsole(io.StringIO()), with_alarm=False)
    policy = load_policy(folder)
    action = policy.act({"b": [0.0, 0.0], "a": [0.3, -0.2]})
    raw = load_agent(finished).act(np.array([[0.3, -0.2, 0, 0]], np.float32), deterministic=True)
    wanted = np.clip(raw[0], -1, 1) * [2.0, 0.5] + [0.0, 0.5]
    np.testing.assert_allclose(action, wanted, atol=1e-5)
    assert policy.alarm is None


def test_a_folder_in_use_and_the_prior_alone_are_refused(finished, folder, tmp_path):
    console = PlainConsole(io.StringIO())
    with pytest.raises(ConfigError, match="is there already, and not empty"):
        export(finished, folder, None, console)
    with pytest.raises(ConfigError, match="the prior alone is a file already"):
        export(finished, tmp_path / "new", "prior", console)
    assert not (tmp_path / "new").exists()


def test_a_distilled_policy_says_how_far_it_is_off_where_the_run_went(finished, tmp_path):
    out, folder = io.StringIO(), tmp_path / "policy"
    export(finished, folder, "last", PlainConsole(out), distil=20, program=True)
    policy, found = load_policy(folder), json.loads((folder / "card.json").read_text())["distilled"]
    assert policy.prior is not None
    assert policy.prior.config.kind == "sparse-gp"
    assert (found["of"], found["states"]) == ("visited, held-out", 30)
    off = found["policy_mean"]
    assert 0 < off["mean"] < off["largest"] < 0.3
    line = (
        f"distilled: at 30 visited, held-out states the policy's mean is off by {off['mean']:.2%} ("
    )
    assert line in out.getvalue()
    states = visited(finished, load_agent(finished, "last")).states.numpy()
    exact = load_prior(finished.prior)
    apart = (policy.prior.mean(states[120:]) - exact.mean(states[120:])).abs().mean().item() / 2
    assert found["prior_mean"]["mean"] == pytest.approx(apart, rel=1e-3)
    blind = distilled(exact, 20).state()["inducing"]
    assert not torch.equal(policy.prior.state()["inducing"], blind), "for where it went"
    run = torch.export.load(folder / "policy.pt2").module()
    found = run(torch.from_numpy(states))["action"].numpy()
    np.testing.assert_allclose(found, policy.act(states), atol=1e-5)


RUNS = {
    "the boundary is in an episode": ({}, "visited, held-out"),
    "rings have wrapped": ({"replay_capacity": 90}, "visited, held-out"),
    "a single episode": ({"n_envs": 1, "env_steps": 40}, "visited, later"),
    "a single episode whose begin is gone": (
        {"n_envs": 1, "env_steps": 40, "replay_capacity": 31},
        "visited, later",
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_states_to_compare_at_are_of_other_episodes(name, point_experiment, run_point, monkeypatch):
    settings, what = RUNS[name]
    horizon = 99 if "single" in name else 20
    config = point_experiment.model_copy(
        update={
            "env": point_experiment.env.model_copy(update={"horizon": horizon}),
            "training": point_experiment.training.model_copy(update=settings),
        }
    )
    _, run_dir = run_point(config)
    monkeypatch.setattr(RunDirectory, "config", lambda self: config)
    agent = load_agent(run_dir, "last")
    lived = visited(run_dir, agent)
    ended = lived.terminated.maximum(lived.truncated)[:-1].numpy() > 0
    follows = (lived.next_states[:-1] == lived.states[1:]).all(1).numpy()
    np.testing.assert_array_equal(follows, ~ended, "oldest first, episode by episode")
    known, compared = states_to_distil_for(run_dir, agent)
    assert known is not None
    assert compared.what == what
    np.testing.assert_array_equal(np.concatenate([known, compared.states]), lived.states)
    if what == "visited, held-out":
        assert ended[len(known) - 1]
    assert 0.15 < len(compared.states) / len(lived.states) < 0.35


def test_a_prior_of_other_data_costs_the_alarm_and_is_said(finished, tmp_path, monkeypatch):
    from nppac_priors import GaussianPrior
    from nppac_priors.errors import DataError

    def other(self, *_, **__):
        raise DataError("was fitted to other data")

    monkeypatch.setattr(GaussianPrior, "left_out_std", other)
    out = io.StringIO()
    export(finished, tmp_path / "policy", None, PlainConsole(out))
    assert "no alarm: was fitted to other data" in out.getvalue()
    assert load_policy(tmp_path / "policy").alarm is None
