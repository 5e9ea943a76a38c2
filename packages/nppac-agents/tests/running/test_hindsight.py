"""Runs that learn for other goals than those that were played for, and what refuses to."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import pytest
import torch
from equal_runs import assert_equal_checkpoints, timeless_events
from gymnasium.wrappers import TimeLimit
from nppac_agents.agent import Agent
from nppac_agents.data.transitions import Transitions
from nppac_agents.experiment.consistency import require_consistent
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.methods.awac import AWAC
from nppac_agents.methods.nppac import NPPAC
from nppac_agents.spaces import Spaces
from nppac_envs import ConfigError as EnvConfigError
from nppac_envs import Demonstrations, EnvConfig, Goals, NpzConfig
from nppac_envs.errors import FaultyEnvironmentError
from nppac_priors.errors import ConfigError
from pydantic import ValidationError

pytestmark = pytest.mark.medium

SMALL = {"policy_hidden": (16,), "critic_hidden": (16,), "batch_size": 32}
AGENTS = {
    "nppac": NPPAC(
        **SMALL, prior_scale="std", rollout_steps=0, critic_warmup_updates=0, n_steps=2,
        future_goals=0.5, other_goals=0.2,
    ),
    "awac": AWAC(**SMALL, offline_updates=20, future_goals=0.5, other_goals=0.2),
}  # fmt: skip


class Reach(gym.Env):
    """A point on the plane and its goal; an episode ends within 0.2 of it."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = np.concatenate([np.zeros(2), self.np_random.uniform(-1.0, 1.0, 2)])
        return self.place.astype(np.float32), {"success": False}

    def step(self, action):
        self.place[:2] += 0.2 * np.asarray(action, np.float64)
        distance = float(np.linalg.norm(self.place[:2] - self.place[2:]))
        reached = distance < 0.2
        return self.place.astype(np.float32), -distance, reached, False, {"success": reached}

    def get_state(self):
        return {"place": self.place.copy()}

    def set_state(self, state):
        self.place = state["place"].copy()


def minus_distances(achieved: Any, desired: Any) -> Any:
    return -np.linalg.norm(achieved.astype(np.float64) - desired, axis=-1)


class ReachConfig(EnvConfig):
    kind: Literal["reach"] = "reach"
    horizon: int = 15
    sign: float = 1.0

    @property
    def has_success(self):
        return True

    def goals(self) -> Goals:
        return Goals(
            (0, 1), (2, 3),
            rewards=lambda achieved, desired: self.sign * minus_distances(achieved, desired),
            terminated=lambda achieved, desired: minus_distances(achieved, desired) > -0.2,
        )  # fmt: skip

    def make(self, *, render_mode=None):
        return TimeLimit(Reach(), self.horizon)


def random_episodes(count: int = 8) -> Demonstrations:
    """Of 15 steps in about one direction each; hardly any of them comes near its goal."""
    env, rng = ReachConfig().make(), np.random.default_rng(0)
    columns: dict[str, list[Any]] = {
        n: [] for n in ("states", "actions", "rewards", "final_states")
    }
    lengths, ends = [], []
    for episode in range(count):
        state, _ = env.reset(seed=episode)
        way = rng.uniform(-1, 1, 2)
        over, length = False, 0
        while not over:
            action = np.clip(way + rng.normal(0, 0.3, 2), -1, 1).astype(np.float32)
            columns["states"].append(state)
            columns["actions"].append(action)
            state, reward, terminated, truncated, _ = env.step(action)
            columns["rewards"].append(reward)
            over, length = terminated or truncated, length + 1
        columns["final_states"].append(state)
        lengths.append(length)
        ends.append(terminated)
    arrays = {name: np.array(column, np.float32) for name, column in columns.items()}
    return Demonstrations(
        **arrays, episode_lengths=np.array(lengths), terminations=np.array(ends), source="random"
    )


@pytest.fixture
def reach_goals() -> Goals:
    """Those of the task with rewards of -1 and 0."""
    near = ReachConfig().goals().terminated
    assert near is not None
    return Goals((0, 1), (2, 3), rewards=lambda a, d: near(a, d) - 1.0, terminated=near)


@pytest.fixture
def reach_experiment(point_experiment, tmp_path):
    """The point experiment on the task with goals, of an agent."""
    path = tmp_path / "reach.npz"
    random_episodes().save_npz(path)

    def make(agent: str | Any, env: EnvConfig | None = None):
        method = AGENTS[agent] if isinstance(agent, str) else agent
        changes = {
            "env": env or ReachConfig(),
            "demonstrations": NpzConfig(source="npz", path=path),
            "agent": method,
            "prior": point_experiment.prior if method.uses_prior else None,
        }
        return point_experiment.model_copy(update=changes)

    return make


@pytest.mark.parametrize("agent", AGENTS)
def test_a_killed_run_resumes_as_if_nothing_had_happened(
    reach_experiment, run_point, killed_and_resumed, agent
):
    """To the bit, between two checkpoints of its interaction."""
    config = reach_experiment(agent)
    _, whole = run_point(config, "whole")
    resumed = killed_and_resumed(config, lambda phases: phases.count("online") == 70)
    assert timeless_events(whole.path) == timeless_events(resumed.path)
    assert_equal_checkpoints(whole.path, resumed.path)


@pytest.mark.parametrize("agent", AGENTS)
def test_every_update_sees_goals_that_belong_to_what_happened(
    reach_experiment, run_point, monkeypatch, agent
):
    """Rewards and ends are those of the goals, some of which are reached exactly."""
    seen: list[Transitions] = []
    step = Agent.step

    def watched(self, batch):
        seen.append(batch)
        return step(self, batch)

    monkeypatch.setattr(Agent, "step", watched)
    run_point(reach_experiment(agent))
    n_steps = AGENTS[agent].discounting().n_steps
    reached = torch.cat([b.next_states[:, :2] - b.next_states[:, 2:] for b in seen]).norm(dim=1)
    ended = torch.cat([b.terminated for b in seen]) > 0
    assert torch.equal(ended, reached < 0.2)
    assert (reached == 0.0).float().mean() > 0.05
    assert all(torch.equal(b.states[:, 2:], b.next_states[:, 2:]) for b in seen)
    if n_steps == 1:
        rewards = torch.cat([b.rewards for b in seen])
        torch.testing.assert_close(rewards, -reached, rtol=1e-4, atol=1e-5)


def test_a_dry_run_goes_through(reach_experiment, run_point):
    assert run_point(reach_experiment("nppac"), dry_run=True)[0] == {}


def test_a_task_without_goals_is_refused_before_a_prior_is_fitted(
    point_experiment, reach_experiment, run_point, tmp_path
):
    config = point_experiment.model_copy(update={"agent": AGENTS["nppac"]})
    with pytest.raises(EnvConfigError, match=r"'point' states no goals"):
        run_point(config)
    assert not (tmp_path / "run" / "prior.safetensors").exists()


def test_goals_that_the_environment_does_not_keep_to_are_refused(reach_experiment, run_point):
    with pytest.raises(FaultyEnvironmentError, match="its goals' rewards say"):
        run_point(reach_experiment("awac", ReachConfig(sign=-1.0)))


def test_without_an_environment_nobody_states_goals(reach_experiment):
    config = reach_experiment("awac")
    training = config.training.model_copy(update={"env_steps": 0})
    with pytest.raises(ConfigError, match="no environment that states goals"):
        require_consistent(config.model_copy(update={"env": None, "training": training}))


def test_an_agent_is_not_built_for_spaces_without_goals(spaces, demonstrations):
    with pytest.raises(ConfigError, match="no environment that states goals"):
        AGENTS["awac"].build(spaces, None, demonstrations, generator=torch.Generator())


@pytest.mark.parametrize("kind", ["cal-ql", "wsrl"])
def test_a_method_that_learns_from_returns_to_go_keeps_its_goals(kind):
    method = agent_registry().get(kind)
    with pytest.raises(ValidationError, match="it learns from return_to_go"):
        method(future_goals=0.1)
    method()


def test_shares_are_of_one_minibatch():
    AWAC(future_goals=0.5, other_goals=0.5)
    with pytest.raises(ValidationError, match="above 1 together"):
        AWAC(future_goals=0.6, other_goals=0.5)


@pytest.mark.parametrize("kind", ["dapg", "awr", "bc"])
def test_a_method_without_critics_of_minibatches_has_no_such_field(kind):
    with pytest.raises(ValidationError, match="future_goals"):
        agent_registry().get(kind)(future_goals=0.5)


@pytest.mark.parametrize(("future_goals", "succeeds"), [(0.0, False), (0.8, True)])
def test_hindsight_learns_to_reach_what_random_episodes_hardly_ever_reached(
    reach_goals, future_goals, succeeds
):
    """From 30 random episodes alone, of which one ended at its goal, with rewards of -1 and 0."""
    shown = random_episodes(30)
    assert shown.terminations.sum() == 1
    rewards = np.where(shown.transitions()["terminals"], 0.0, -1.0)
    env = ReachConfig().make()
    method = AWAC(
        policy_hidden=(64, 64), critic_hidden=(64, 64), batch_size=128, gamma=0.9, tau=0.02,
        policy_learning_rate=1e-3, critic_learning_rate=1e-3, largest_advantage=1.0,
        future_goals=future_goals,
    )  # fmt: skip
    agent = method.build(
        Spaces(env.observation_space, env.action_space, goals=reach_goals),
        None,
        dataclasses.replace(shown, rewards=rewards.astype(np.float32)),
        generator=torch.Generator().manual_seed(0),
    )
    replay = agent.make_replay(10, 1, torch.Generator().manual_seed(0))
    for _ in range(800):
        agent.step(replay.sample_transitions(128))
    successes = [reaches(agent, env, seed) for seed in range(1000, 1040)]
    assert np.mean(successes) > 0.9 if succeeds else np.mean(successes) < 0.3


def reaches(agent: Agent, env: Any, seed: int) -> bool:
    state, _ = env.reset(seed=seed)
    while True:
        action = np.clip(agent.act(state[None], deterministic=True)[0], -1, 1)
        state, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            return terminated
