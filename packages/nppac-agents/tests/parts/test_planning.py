import pytest
import torch
from nppac_agents.parts import Planner
from nppac_agents.parts.planning import weighted_mean


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


GAIN = torch.tensor([[0.2], [-0.3]], dtype=torch.float64)


def behaviour(states, before):
    """Two members of one state and one action, which differ."""
    return (GAIN[:, None] * states + 0.1 * before).clamp(-1, 1)


def model(states, actions):
    """The state moves by the action, by member; the reward is the new state."""
    following = states + torch.tensor([1.0, 0.5]).double()[:, None, None] * actions
    return following[..., 0], following


def value(states, actions):
    return 3 * states[..., 0] + actions[..., 0]


def planner(**settings):
    given = {"sigma": torch.tensor([0.2]).double(), "beta": 0.25, "kappa": 0.7} | settings
    return Planner(behaviour, model, value, **given)


def test_two_trajectories_a_member_by_hand():
    """One state; two members, two trajectories each, two steps, mixed with a plan."""
    start, noise, plan = 0.5, drawn(1, 2, 2, 2, 1, 1), drawn(2, 2, 1, 1)
    actions, returns = planner().trajectories(torch.tensor([[start]]).double(), noise, plan)
    for member, (gain, speed) in enumerate([(0.2, 1.0), (-0.3, 0.5)]):
        for trajectory in range(2):
            state, before, total = start, 0.0, 0.0
            for step in range(2):
                clone = gain * state + 0.1 * before
                moved = clone + 0.2 * noise[step, member, trajectory].item()
                moved = 0.75 * moved + 0.25 * plan[step].item()
                before = min(max(moved, -1.0), 1.0)
                state += speed * before
                total += state
                got = actions[step, member, trajectory].item()
                assert got == pytest.approx(before)
            total += 3 * state + gain * state + 0.1 * before
            assert returns[member, trajectory].item() == pytest.approx(total)


def test_the_weighted_mean_is_the_written_out_formula():
    actions, returns = drawn(3, 4, 2, 3, 5, 2), 300 * drawn(4, 2, 3, 5)
    got = weighted_mean(actions, returns, 0.01)
    for state in range(5):
        weights = (0.01 * (returns[:, :, state] - returns[:, :, state].max())).exp()
        for step in range(4):
            total = sum(
                weights[k, n] * actions[step, k, n, state] for k in range(2) for n in range(3)
            )
            torch.testing.assert_close(got[step, state], total / weights.sum())


def test_kappa_goes_from_the_plain_mean_to_the_best_trajectory():
    actions, returns = drawn(3, 4, 2, 3, 5, 2), drawn(4, 2, 3, 5)
    torch.testing.assert_close(weighted_mean(actions, returns, 0.0), actions.mean((1, 2)))
    best = returns.flatten(0, 1).argmax(0)
    chosen = actions.flatten(1, 2)[:, best, torch.arange(5)]
    torch.testing.assert_close(weighted_mean(actions, returns, 1e6), chosen)


def test_without_noise_and_plan_it_is_the_behaviour_in_the_model():
    states = drawn(5, 3, 1)
    actions, _ = planner(sigma=torch.zeros(1).double(), beta=0.0).trajectories(
        states, drawn(1, 4, 2, 2, 1, 1), None
    )
    seen, before = states.expand(2, 3, 1), torch.zeros(2, 3, 1).double()
    for step in range(4):
        before = behaviour(seen, before)
        torch.testing.assert_close(actions[step, :, 0], before)
        torch.testing.assert_close(actions[step, :, 1], before)
        _, seen = model(seen, before)


def test_each_round_is_mixed_with_the_plan_of_the_round_before():
    states, noise = drawn(5, 3, 1), drawn(6, 2, 4, 2, 2, 1, 1)
    one = planner()
    first = weighted_mean(*one.trajectories(states, noise[0], None), 0.7)
    second = weighted_mean(*one.trajectories(states, noise[1], first), 0.7)
    torch.testing.assert_close(one.plan(states, noise), second)
    torch.testing.assert_close(one.plan(states, noise[:1]), first)


def test_a_state_is_planned_for_whatever_is_planned_beside_it():
    states, noise = drawn(5, 3, 1), drawn(6, 2, 4, 2, 2, 1, 1)
    together = planner().plan(states, noise)
    for row in range(3):
        alone = planner().plan(states[row : row + 1], noise)
        torch.testing.assert_close(together[:, row], alone[:, 0])
