"""Transitions with other goals, against a plain loop over the episodes as they were played.

A state is (goal, place, number of the step); a step reaches its number and a half, which is nowhere
else reached, and is within 0.25 of its goal or not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from nppac_agents.data.discounting import Discounting
from nppac_agents.data.goal_shares import GoalShares
from nppac_agents.data.hindsight import Hindsight
from nppac_agents.data.layout import Layout
from nppac_agents.data.observed_prior import ObservedPrior
from nppac_agents.data.replay import TensorReplay
from nppac_agents.data.rollouts import Step
from nppac_agents.data.transitions import columns_of
from nppac_envs import Goals

GAMMA, N_ENVS, STEPS = 0.9, 2, 40
NEAR = 0.25
GOALS = Goals(
    achieved=(1,),
    desired=(0,),
    rewards=lambda achieved, desired: -np.abs(achieved - desired)[:, 0],
    terminated=lambda achieved, desired: np.abs(achieved - desired)[:, 0] < NEAR,
)
ENDLESS = Goals(GOALS.achieved, GOALS.desired, GOALS.rewards)


class Played(NamedTuple):
    """A step as it was played, and the episode that it is of."""

    number: float
    goal: float
    terminated: bool
    truncated: bool
    episode: int


def story_of(first: float, steps: int, rng: np.random.Generator) -> list[Played]:
    """Episodes of 1 to 6 steps that reach their goal at last, or are cut; the last one goes on."""
    story: list[Played] = []
    episode = 0
    while len(story) < steps:
        length, succeeds = int(rng.integers(1, 7)), rng.random() < 0.5
        last = first + len(story) + length - 1
        goal = last + 0.6 if succeeds else -first - episode - 0.3
        for step in range(length):
            ended = step == length - 1
            end = (ended and succeeds, ended and not succeeds)
            story.append(Played(first + len(story), goal, *end, episode))
        episode += 1
    return story[:steps]


def columns(steps: list[Played]) -> dict[str, np.ndarray]:
    number, goal, terminated, truncated, _ = (np.array(c) for c in zip(*steps, strict=True))
    return {
        "obs": np.stack([goal, number - 0.5, number], 1),
        "act": number[:, None],
        "rew": -np.abs(number + 0.5 - goal),
        "terminated": terminated,
        "truncated": truncated,
        "obs_next": np.stack([goal, number + 0.5, number + 1], 1),
    }


def demonstrated(layout: Layout, story: list[Played]) -> torch.Tensor:
    given = {n: torch.tensor(c, dtype=torch.float32) for n, c in columns(story).items()}
    ends = given["terminated"] + given["truncated"]
    ends[-1] = given["truncated"][-1] = 1.0
    left, steps_left = 0, []
    for end in reversed(ends.tolist()):
        left = 0 if end else left + 1
        steps_left.insert(0, left)
    names = {"obs": "states", "act": "actions", "rew": "rewards", "obs_next": "next_states"}
    named = {names.get(name, name): column for name, column in given.items()}
    return layout.pack(named | {"steps_left": torch.tensor(steps_left, dtype=torch.float32)})


def played(
    shares: GoalShares,
    *,
    goals: Goals = GOALS,
    n_steps: int = 1,
    capacity: int = 200,
    timeouts: bool = False,
    shown: int = 0,
    share: float | None = None,
):
    """A replay, and the steps of each of its rings, then the demonstrated ones."""
    layout = Layout(3, 1, 0, Discounting(GAMMA, timeouts, n_steps), ("steps_left",))
    stories = [story_of(1000.0 * env, STEPS, np.random.default_rng(env)) for env in range(N_ENVS)]
    rows = None
    if shown:
        stories.append(story_of(1000.0 * N_ENVS, shown, np.random.default_rng(N_ENVS)))
        last = stories[-1][-1]
        stories[-1][-1] = last._replace(truncated=not last.terminated)
        rows = demonstrated(layout, stories[-1])
    replay = TensorReplay(
        capacity,
        N_ENVS,
        layout,
        observed=None,
        demonstrations=rows,
        demonstration_share=share,
        hindsight=Hindsight(goals, shares, layout, torch.Generator().manual_seed(1)),
        generator=torch.Generator().manual_seed(0),
    )
    for number in range(STEPS):
        replay.add(Step(**columns([story[number] for story in stories[:N_ENVS]])))
    return replay, stories


def by_hand(story: list[Played], first: int, goal: float, n_steps: int, timeouts: bool, ends: bool):
    """Sum of rewards, discount and next place of the transition that begins at `first`."""
    total, steps = 0.0, 0
    for step in story[first : first + n_steps]:
        distance = abs(step.number + 0.5 - goal)
        total -= GAMMA**steps * distance
        steps += 1
        over = distance < NEAR if ends else step.terminated
        cut = step.truncated or step.terminated
        if over or cut:
            break
    stops = over or (timeouts and cut)
    return total, 0.0 if stops else GAMMA**steps, step.number + 0.5


def kind_of(story: list[Played], first: int, goal: float, every: set[float]) -> str:
    """Whose goal a transition was given, of those that it may be given."""
    own = story[first]
    if goal == pytest.approx(own.goal, abs=1e-3):
        return "own"
    later = [s for s in story[first:] if s.episode == own.episode]
    if any(goal == step.number + 0.5 for step in later):
        return "future"
    assert round(goal, 1) in every, "a goal of nobody"
    return "other"


@pytest.mark.parametrize("n_steps", [1, 2, 5])
@pytest.mark.parametrize("capacity", [200, 30])
@pytest.mark.parametrize("timeouts", [False, True])
@pytest.mark.parametrize("goals", [GOALS, ENDLESS], ids=["goals end it", "goals end nothing"])
def test_they_are_worth_what_playing_for_their_goals_would_have_earned(
    n_steps, capacity, timeouts, goals
):
    replay, stories = played(
        GoalShares(0.4, 0.3), goals=goals, n_steps=n_steps, capacity=capacity, timeouts=timeouts,
        shown=23,
    )  # fmt: skip
    every = {round(step.goal, 1) for story in stories for step in story}
    batch = replay.sample_transitions(2_000)
    kinds = set()
    for row in range(2_000):
        goal, place, number = batch.states[row].tolist()
        env, first = divmod(int(number), 1000)
        story = stories[env]
        kinds.add(kind_of(story, first, goal, every))
        ends = goals is GOALS
        total, discount, after = by_hand(story, first, goal, n_steps, timeouts, ends)
        assert place == number - 0.5
        assert batch.rewards[row].item() == pytest.approx(total, rel=1e-5, abs=1e-2)
        assert batch.discounts[row].item() == pytest.approx(discount, abs=1e-6)
        assert batch.next_states[row].tolist() == [goal, after, after + 0.5]
        assert batch.actions[row].item() == number
    assert kinds == {"own", "future", "other"}


def test_the_shares_are_those_that_were_asked_for():
    replay, stories = played(GoalShares(0.3, 0.5))
    every = {round(step.goal, 1) for story in stories for step in story}
    batch = replay.sample_transitions(20_000)
    kinds = [
        kind_of(stories[int(number) // 1000], int(number) % 1000, goal, every)
        for goal, _, number in batch.states.tolist()
    ]
    counted = {kind: kinds.count(kind) / len(kinds) for kind in ("own", "future", "other")}
    # one in thirty of the other goals is its own episode's
    assert counted == pytest.approx({"own": 0.2 + 0.5 / 30, "future": 0.3, "other": 0.5}, abs=0.03)


@pytest.mark.parametrize("shown", [0, 31])
def test_a_future_goal_is_reached_at_any_later_step_of_the_episode_alike(shown):
    """Of the interaction's episodes, the one that goes on among them, and of demonstrated ones."""
    replay, stories = played(GoalShares(1.0, 0.0), shown=shown, share=1.0 if shown else None)
    batch = replay.sample_transitions(60_000)
    found: dict[float, list[float]] = {}
    for goal, _, number in batch.states.tolist():
        found.setdefault(number, []).append(goal - number - 0.5)
    drawn = stories[N_ENVS:] if shown else stories
    assert len(found) == sum(map(len, drawn))
    assert sum(not (s[-1].terminated or s[-1].truncated) for s in drawn) == (0 if shown else 2)
    for story in drawn:
        for step in story:
            left = max(s.number for s in story if s.episode == step.episode) - step.number
            shares = np.bincount(np.array(found[step.number], int)) / len(found[step.number])
            np.testing.assert_allclose(shares, np.full(int(left) + 1, 1 / (left + 1)), atol=0.08)


def test_what_keeps_its_goal_is_as_it_was_stored():
    """To the bit; and other draws of goals do not shift those of transitions."""
    replay, _ = played(GoalShares(0.5, 0.0))
    plain, _ = played(GoalShares(0.0, 0.0))
    one, other = (columns_of(r.sample_transitions(500)) for r in (replay, plain))
    kept = one["states"][:, 0] == other["states"][:, 0]
    assert 150 < kept.sum() < 350
    for name in set(one) - {"extra"}:
        assert torch.equal(one[name][kept], other[name][kept]), name
    assert torch.equal(one["actions"], other["actions"])


def test_the_rows_keep_their_goals():
    replay, _ = played(GoalShares(1.0, 0.0))
    before = replay.state()["rows"].clone()
    replay.sample_transitions(500)
    assert torch.equal(replay.state()["rows"], before)


def test_a_restored_replay_gives_the_same_goals():
    shares = GoalShares(0.4, 0.3)
    replay, _ = played(shares, capacity=30)
    replay.sample_transitions(7)
    restored, _ = played(shares, capacity=30)
    for _ in range(3):
        restored.sample_transitions(50)
    restored.load_state(replay.state())
    one, other = (columns_of(r.sample_transitions(300)) for r in (replay, restored))
    assert all(torch.equal(one[name], other[name]) for name in set(one) - {"extra"})
    again = columns_of(replay.sample_transitions(300))
    assert not torch.equal(again["states"], one["states"])


def test_cut_episodes_reach_no_goal_after_the_cut():
    replay, stories = played(GoalShares(1.0, 0.0))
    replay.cut_episodes(np.arange(N_ENVS))
    ends = [story[-1].number + 0.5 for story in stories]
    more = [[Played(s[-1].number + 1, -7.0, False, False, 99)] for s in stories]
    replay.add(Step(**columns([m[0] for m in more])))
    batch = replay.sample_transitions(5_000)
    before = batch.states[:, 2] % 1000 < STEPS
    for env, end in enumerate(ends):
        of_env = before & (batch.states[:, 2] // 1000 == env)
        assert batch.states[of_env, 0].max() <= end


@pytest.mark.parametrize("n_steps", [1, 3])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_prior_is_asked_anew_where_the_goal_is_another(prior, n_steps, share):
    """And stays what was stored where it is not."""
    goals = Goals((2, 3), (0, 1), lambda achieved, desired: (achieved - desired).sum(1))
    layout = Layout(4, 2, 2, Discounting(GAMMA, False, n_steps), ("steps_left",))
    observed = ObservedPrior(prior)
    hindsight = Hindsight(goals, GoalShares(share, 0.0), layout, torch.Generator().manual_seed(1))
    replay = TensorReplay(
        60, 1, layout, observed=observed, hindsight=hindsight,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    states = rng.uniform(-1, 1, (31, 4)).astype(np.float32)
    for step in range(30):
        ends = np.array([step % 10 == 9])
        now, after = states[step : step + 1], states[step + 1 : step + 2]
        replay.add(Step(now, now[:, :2], np.zeros(1), np.zeros(1, bool), ends, after))
    asked = observed.evaluations
    batch = replay.sample_transitions(200)
    assert observed.evaluations == asked, "these are no states of the rollouts"
    for mean, std, at in (
        (batch.prior_mean, batch.prior_std, batch.states),
        (batch.next_prior_mean, batch.next_prior_std, batch.next_states),
    ):
        expected = prior.moments(at)
        torch.testing.assert_close(mean, expected[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(std, expected[1], rtol=1e-4, atol=1e-5)
