import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[4] / "examples" / "control_loop.py"


@pytest.fixture(scope="module")
def control():
    spec = importlib.util.spec_from_file_location("control_loop", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.control


class Clock:
    """Time that passes when somebody waits or works."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Policy:
    """Takes `work` seconds to act; does not trust negative observations."""

    def __init__(self, clock, work):
        self.clock, self.work = clock, work

    def trust(self, observation):
        return 0.5 if observation[0] >= 0 else 0.0

    def act(self, observation):
        self.clock.now += self.work
        return np.array([1.0])

    def prior_action(self, observation):
        self.clock.now += self.work
        return np.array([-1.0])


def play(control, work, observations, age=0.0):
    clock, sent, left = Clock(), [], list(observations)
    record = control(
        Policy(clock, work),
        lambda: (np.array([left.pop(0)]), clock() - age),
        lambda action: sent.append((round(clock(), 6), float(action[0]))),
        rate=50.0,
        steps=len(left),
        timeout=0.1,
        threshold=0.01,
        clock=clock,
        sleep=clock.sleep,
    )
    return record, sent


def test_actions_leave_at_the_rate_and_the_priors_where_the_state_is_strange(control):
    record, sent = play(control, 0.005, [1.0, -1.0, 1.0])
    assert sent == [(0.005, 1.0), (0.025, -1.0), (0.045, 1.0)]
    assert (record.fallbacks, record.late, record.stopped) == (1, 0, False)


def test_an_action_that_comes_too_late_is_not_sent(control):
    record, sent = play(control, 0.03, [1.0, 1.0])
    assert (sent, record.late) == ([], 2)


def test_old_observations_end_the_loop(control):
    record, sent = play(control, 0.001, [1.0, 1.0], age=0.2)
    assert (sent, record.stopped) == ([], True)
