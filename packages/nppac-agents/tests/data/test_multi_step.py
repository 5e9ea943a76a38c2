"""N-step transitions against a plain loop over the episodes as they were played."""

import numpy as np
import pytest
import torch
from nppac_agents.data.layout import Discounting, Layout
from nppac_agents.data.replay import TensorReplay
from nppac_agents.data.rollouts import Step

GAMMA, N_ENVS = 0.9, 2


def played(n_steps, capacity, steps=30, terminal_timeouts=False, seed=0):
    """A replay and, for each environment, what it was given: rows of (state, reward, t, d)."""
    rng = np.random.default_rng(seed)
    discounting = Discounting(GAMMA, terminal_timeouts, n_steps)
    generator = torch.Generator().manual_seed(0)
    replay = TensorReplay(
        capacity, N_ENVS, Layout(1, 1, 0, discounting), observed=None, generator=generator
    )
    story = [[] for _ in range(N_ENVS)]
    for number in range(steps):
        states = number + np.arange(N_ENVS)[:, None] * 1000.0
        rewards = rng.normal(size=N_ENVS)
        terminated, truncated = rng.random((2, N_ENVS)) < 0.1
        truncated &= ~terminated
        replay.add(Step(states, states, rewards, terminated, truncated, states + 0.5))
        for env in range(N_ENVS):
            story[env].append((states[env, 0], rewards[env], terminated[env], truncated[env]))
    return replay, story


def by_hand(story, first, n_steps, terminal_timeouts):
    """Sum of rewards, discount and next state of the transition that begins at `first`."""
    total, steps = 0.0, 0
    for step in story[first : first + n_steps]:
        state, reward, terminated, truncated = step
        total += GAMMA**steps * reward
        steps += 1
        if terminated or truncated:
            break
    stops = terminated or (terminal_timeouts and truncated)
    return total, 0.0 if stops else GAMMA**steps, state + 0.5


@pytest.mark.parametrize("n_steps", [1, 2, 5])
@pytest.mark.parametrize("capacity", [200, 30])
@pytest.mark.parametrize("terminal_timeouts", [False, True])
def test_they_add_up_what_was_played(n_steps, capacity, terminal_timeouts):
    replay, story = played(n_steps, capacity, terminal_timeouts=terminal_timeouts)
    batch = replay.sample_transitions(900)
    seen = set()
    for row in range(900):
        state = batch.states[row].item()
        env, first = divmod(int(state), 1000)
        seen.add(state)
        total, discount, after = by_hand(story[env], first, n_steps, terminal_timeouts)
        assert batch.rewards[row].item() == pytest.approx(total, abs=1e-5)
        assert batch.discounts[row].item() == pytest.approx(discount, abs=1e-6)
        assert batch.next_states[row].item() == after
        assert batch.actions[row].item() == state
    assert len(seen) == min(capacity, 60)


def test_demonstrated_episodes_do_not_run_into_each_other():
    layout = Layout(1, 1, 0, Discounting(GAMMA, False, 3))
    states = torch.arange(6.0).unsqueeze(1)
    ends = torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    columns = {"states": states, "actions": states, "next_states": states + 0.5}
    flags = {"rewards": torch.ones(6), "terminated": torch.zeros(6), "truncated": ends}
    replay = TensorReplay(
        4,
        2,
        layout,
        observed=None,
        demonstrations=layout.pack(columns | flags),
        generator=torch.Generator().manual_seed(0),
    )
    batch = replay.sample_transitions(200)
    steps = {0: 3, 1: 3, 2: 2, 3: 1, 4: 2, 5: 1}
    assert set(batch.states.flatten().int().tolist()) == set(steps)
    for row, state in enumerate(batch.states.flatten().int().tolist()):
        count = steps[state]
        total = sum(GAMMA**k for k in range(count))
        assert batch.rewards[row].item() == pytest.approx(total, rel=1e-5)
        assert batch.discounts[row].item() == pytest.approx(GAMMA**count, rel=1e-5)
        assert batch.next_states[row].item() == state + count - 0.5


def test_a_restored_replay_gives_the_same_transitions():
    replay, _ = played(3, 30)
    state = replay.state()
    again, _ = played(3, 30, steps=3, seed=1)
    again.load_state(state)
    for name in ("states", "rewards", "discounts", "next_states"):
        one, other = (getattr(r.sample_transitions(100), name) for r in (replay, again))
        torch.testing.assert_close(one, other, rtol=0, atol=0)
        replay.generator.set_state(state["generator"])
        again.generator.set_state(state["generator"])
