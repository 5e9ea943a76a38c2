import numpy as np
import pytest
from nppac_agents.running.evaluation import Evaluator

STARTS = range(1000, 1012)


class Fixed:
    """A policy that pushes as the expert does, or not at all."""

    def __init__(self, expert):
        self.expert = expert

    def act(self, states, *, deterministic):
        assert deterministic
        return np.clip(-2.0 * states[:, :2], -5, 5) if self.expert else np.zeros((len(states), 2))


@pytest.fixture
def evaluator(point_config):
    return Evaluator(point_config, 12)


def test_the_expert_succeeds_and_stays(evaluator):
    measures = evaluator.evaluate(Fixed(expert=True), STARTS)
    assert measures.success_ever.all()
    assert measures.success_at_end.all()
    assert 1 <= measures.time_to_success.max() <= 10


def test_measures_equal_an_episode_by_episode_evaluation(evaluator, point_config):
    measures = evaluator.evaluate(Fixed(expert=True), STARTS)
    env = point_config.make()
    for episode in range(12):
        state, _ = env.reset(seed=1000 + episode)
        rewards, successes, ended = [], [], False
        while not ended:
            action = np.clip(-2.0 * state[:2], -1, 1)
            state, reward, terminated, truncated, info = env.step(action)
            rewards.append(reward)
            successes.append(info["success"])
            ended = terminated or truncated
        assert measures.returns[episode] == sum(rewards)
        assert measures.time_to_success[episode] == 1 + successes.index(True)
        assert measures.success_at_end[episode] == successes[-1]


def test_success_is_told_where_any_step_tells_it(evaluator, monkeypatch):
    def silenced(step, *, but_the_end):
        def silent(action):
            *outcome, info = step(action)
            return *outcome, info if but_the_end and outcome[3] else {}

        return silent

    for but_the_end in (True, False):
        for env in evaluator.envs:
            monkeypatch.setattr(env, "step", silenced(env.step, but_the_end=but_the_end))
        measures = evaluator.evaluate(Fixed(expert=True), STARTS)
        assert measures.tells_success is but_the_end
        assert measures.success_at_end.all() == but_the_end


def test_returns_are_normalised_by_what_the_task_states(point_config, evaluator):
    class Stated(type(point_config)):
        @property
        def reference_returns(self):
            return 0.0, 4.0

    stated = Evaluator(Stated(), 12).evaluate(Fixed(expert=True), STARTS)
    plain = evaluator.evaluate(Fixed(expert=True), STARTS)
    assert stated.means()["normalised_return"] == pytest.approx(25 * plain.returns.mean())
    assert plain.means()["normalised_return"] is None


def test_every_evaluation_plays_the_same_episodes(evaluator):
    first, second = (evaluator.evaluate(Fixed(expert=True), STARTS) for _ in range(2))
    np.testing.assert_array_equal(first.returns, second.returns)
    assert not evaluator.evaluate(Fixed(expert=False), STARTS).success_ever.all()


def test_episodes_of_different_lengths_end_on_their_own(point_config, monkeypatch):
    evaluator = Evaluator(point_config, 3)
    for env, limit in zip(evaluator.envs, (1, 4, 7), strict=True):
        env.env._max_episode_steps = limit
    measures = evaluator.evaluate(Fixed(expert=False), range(1000, 1003))
    assert (measures.returns <= np.array([1, 4, 7])).all()
    assert set(measures.solved_fraction) <= {0.0, 1.0}


@pytest.mark.parametrize("n_envs", [1, 5, 11])
def test_fewer_environments_play_the_same_episodes_in_blocks(evaluator, point_config, n_envs):
    together = evaluator.evaluate(Fixed(expert=True), STARTS)
    in_blocks = Evaluator(point_config, n_envs).evaluate(Fixed(expert=True), STARTS)
    np.testing.assert_array_equal(in_blocks.returns, together.returns)
    np.testing.assert_array_equal(in_blocks.time_to_success, together.time_to_success)
    assert in_blocks.per_episode() == together.per_episode()
