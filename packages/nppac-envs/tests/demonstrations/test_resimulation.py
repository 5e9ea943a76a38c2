from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nppac_envs import ConfigError, DoorConfig, MinariConfig, PenConfig, ShippedConfig
from nppac_envs.demonstrations.policies import find_policy
from nppac_envs.demonstrations.recording import record
from nppac_envs.demonstrations.resimulation import drift_findings, replay
from nppac_envs.demonstrations.starts import start_from
from nppac_envs.environments import env_config, setting

pytestmark = pytest.mark.medium

SETTINGS = {"ant": {"variant": "v2"}}
KINDS = ("door", "pen", "relocate", "hammer", "halfcheetah", "walker2d", "hopper", "ant")


@pytest.mark.parametrize("kind", KINDS)
def test_an_episode_is_rebuilt_from_its_first_observation(kind: str):
    """In free motion the simulation then follows the record, from float32 numbers."""
    config = env_config(kind, {"horizon": 8, **SETTINGS.get(kind, {})})
    env = config.make()
    policy = find_policy("uniform", env.action_space.shape[0], 1)
    env.close()
    recorded, _ = record(config, policy, 3, first_seed=11)
    for result in replay(recorded, config, [2, 0]):
        assert result.deviations.shape == (9,)
        assert result.deviations[0] < 1e-5
        assert result.deviations.max() < 1e-2
        assert result.leaves_at is None


def test_starts_differ_and_only_the_episodes_asked_for_are_simulated():
    config = DoorConfig(horizon=3)
    recorded, _ = record(config, find_policy("uniform", 28, 0), 4, first_seed=0)
    results = list(replay(recorded, config, [3, 1]))
    assert [result.episode for result in results] == [3, 1]
    frames = recorded.states[::3, 32:35]
    assert len(np.unique(frames.round(6), axis=0)) == 4, "the frame of the door moves"


def test_other_actions_show_as_a_deviation(make_arrays):
    config = PenConfig(horizon=6)
    recorded, _ = record(config, find_policy("uniform", 24, 0), 2)
    changed = recorded.actions.copy()
    changed[2:6] *= -1
    (result,) = replay(replace(recorded, actions=changed), config, [0])
    assert result.deviations[:3].max() < 1e-4
    assert result.leaves_at is not None
    assert result.leaves_at > 2
    assert result.simulated is False


def test_deviations_are_in_standard_deviations_of_the_set():
    config = PenConfig(horizon=4)
    recorded, _ = record(config, find_policy("uniform", 24, 0), 2)
    other = replace(recorded, actions=-recorded.actions)
    (result,) = replay(other, config, [0])
    env = config.make()
    seen = [start_from(env, "pen", recorded.states[0])]
    seen += [env.unwrapped.step(action)[0] for action in other.actions[:4]]
    states = np.vstack([recorded.states[:4], recorded.final_states[:1]])
    scale = recorded.states.std(axis=0, dtype=np.float64)
    scale[scale == 0] = 1.0
    expected = (np.abs(np.stack(seen) - states.astype(np.float64)) / scale).max(axis=1)
    np.testing.assert_allclose(result.deviations, expected, rtol=1e-9)


def test_what_cannot_be_simulated_is_one_line(demonstrations):
    env = PenConfig().make()
    for kind, observation, message in (
        ("push", np.zeros(45), "'push' cannot be simulated again"),
        ("pen", np.zeros(5), "an observation has 5 dimensions, and 'pen' has 45"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            start_from(env, kind, observation.astype(np.float32))
        assert "\n" not in str(caught.value)


def test_the_shipped_set_replays_as_it_was_recorded():
    """Whole episodes with contact, on the versions that they were recorded with."""
    demonstrations = ShippedConfig(name="door", n_episodes=2).load()
    for result in replay(demonstrations, DoorConfig(), range(2)):
        assert result.recorded
        assert result.simulated
        assert result.deviations[:60].max() < 1e-3


@pytest.mark.parametrize(("kind", "steps"), [("walker2d", 100), ("ant", 25)])
def test_a_shipped_set_of_locomotion_is_of_the_variant_that_it_is_used_with(kind: str, steps: int):
    """Another one leaves it at the first contacts; so does the ant itself later, by rounding."""
    demonstrations = ShippedConfig(name=kind, n_episodes=2).load()
    config = env_config(kind, SETTINGS.get(kind, {}))
    for result in replay(demonstrations, config, range(2)):
        assert result.deviations[:steps].max() < 1e-3


def test_the_human_door_set_starts_where_it_did(data: Path):
    """Its first observations hold all but velocities, though not every episode began at rest."""
    human = MinariConfig(id="door/human-v0", root=data / "minari", n_episodes=12).load()
    results = list(replay(human, DoorConfig(), [8, 11]))
    assert max(result.deviations[0] for result in results) < 1e-5
    assert [result.recorded for result in results] == [True, True]
    assert [result.simulated for result in results] == [True, True]


def test_what_doctor_says():
    config = PenConfig(horizon=6)
    recorded, _ = record(config, find_policy("uniform", 24, 0), 2)
    assert drift_findings(recorded, config) == []
    lied = replace(recorded, successes=np.arange(12) >= 6, actions=-recorded.actions)
    found = {finding.topic: finding for finding in drift_findings(lied, config)}
    assert "episode 1" in found["replay outcome"].text
    assert "2 of 2 simulations leave" in found["replay drift"].text
    moved = recorded.states.copy()
    moved[0, 27] += 0.5
    elsewhere = drift_findings(replace(recorded, states=moved), config)
    assert elsewhere[0].topic == "start states"
    assert "in episode 0" in elsewhere[0].text


def test_kinds_and_settings():
    assert env_config("pen", {"reward": "binary"}) == PenConfig(reward="binary")
    for kind, settings, message in (
        ("dor", {}, "environment 'dor' is unknown; there are 'ant', 'door'"),
        ("pen", {"reward": "much"}, "environment pen: reward:"),
        ("pen", {"rewards": 1}, "environment pen: rewards:"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            env_config(kind, settings)
        assert "\n" not in str(caught.value)
    assert setting("horizon=5") == ("horizon", 5)
    assert setting("variant=v2") == ("variant", "v2")
    with pytest.raises(ConfigError, match="NAME=VALUE"):
        setting("horizon")
