import pytest
from nppac_agents.stopwatch import Stopwatch


@pytest.fixture
def passes(monkeypatch):
    """Lets time pass."""
    now = [100.0]
    monkeypatch.setattr("nppac_agents.stopwatch.time.perf_counter", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def test_what_is_timed_inside_of_something_else_counts_once(passes):
    stopwatch = Stopwatch()
    passes(1)
    with stopwatch("evaluation"):
        passes(2)
        with stopwatch("prior"):
            passes(4)
        passes(8)
    passes(16)
    with stopwatch("prior"):
        passes(32)
    assert stopwatch.seconds == {"evaluation": 10, "prior": 36}


def test_a_failure_ends_what_was_timed(passes):
    stopwatch = Stopwatch()

    def fail():
        passes(1)
        raise ValueError("no")

    with stopwatch("update"):
        with pytest.raises(ValueError, match="no"), stopwatch("environment"):
            fail()
        passes(2)
    passes(4)
    assert stopwatch.seconds == {"environment": 1, "update": 2}
