from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from nppac_agents.running.interruption import (
    SIGNALS,
    Interrupted,
    Interruption,
    interrupt_at_once,
    interruptible,
)


def wait() -> None:
    """Long enough for a signal to arrive."""
    for _ in range(2000):
        time.sleep(0.01)


def signalled(number: int, *, times: int = 1) -> None:
    for _ in range(times):
        os.kill(os.getpid(), number)
        time.sleep(0.01)
    wait()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_outside_the_learning_loop_acts_at_once(number):
    with pytest.raises(KeyboardInterrupt), interruptible():
        signalled(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_inside_it_waits_and_a_second_one_acts_at_once(number):
    with interruptible():
        with Interruption() as interruption:
            interruption.raise_if_requested()
            os.kill(os.getpid(), number)
            time.sleep(0.01)
            with pytest.raises(Interrupted, match="after a checkpoint; --resume continues from it"):
                interruption.raise_if_requested()
        with pytest.raises(KeyboardInterrupt), Interruption():
            signalled(number, times=2)


def test_the_handlers_of_before_are_back_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]
    with interruptible(), Interruption():
        assert before != [signal.getsignal(number) for number in SIGNALS]
    assert before == [signal.getsignal(number) for number in SIGNALS]


@pytest.mark.parametrize("noted", [False, True])
def test_another_thread_can_interrupt_where_a_signal_would_wait(noted):
    def run():
        with Interruption() as interruption:
            if noted:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.01)
            assert interruption.requested is noted
            threading.Thread(target=interrupt_at_once).start()
            wait()

    with interruptible(), pytest.raises(KeyboardInterrupt):
        run()
    with interruptible(), Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        assert interruption.requested, "the next run's signals wait again"


def test_an_interrupt_that_comes_too_late_does_nothing():
    with interruptible():
        pass
    interrupt_at_once()
    time.sleep(0.01)
    with interruptible():  # forgets it
        time.sleep(0.01)


def test_in_another_thread_signals_are_left_alone():
    def run():
        with interruptible(), Interruption():
            seen.append(signal.getsignal(signal.SIGTERM))

    seen: list[object] = []
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
