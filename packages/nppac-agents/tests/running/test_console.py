from __future__ import annotations

import io

import pytest
from nppac_agents.cli.open_console import open_console
from nppac_agents.reporting.durations import duration
from nppac_agents.running.plain_console import PlainConsole
from nppac_priors.progress import Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(stream, clock) -> PlainConsole:
    return PlainConsole(stream, clock=clock)


def test_a_line_every_ten_seconds_and_one_at_the_end(console, stream, clock):
    with console.stage("training", 2000) as stage:
        for second in range(1, 26):
            clock.now = float(second)
            stage.advance(40 * second, updates_per_second=40.0)
    assert stream.getvalue().splitlines() == [
        "training: 400/2,000, 0:40 left, updates/s 40",
        "training: 800/2,000, 0:30 left, updates/s 40",
        "training: 1,000/2,000, took 0:25, updates/s 40",
    ]


def test_time_left_of_a_resumed_stage_counts_its_own_steps_only(console, stream, clock):
    with console.stage("training", 2000) as stage:
        stage.advance(1000)
        clock.now = 10.0
        stage.advance(1100)
    assert stream.getvalue().splitlines()[0] == "training: 1,100/2,000, 1:30 left"


def test_the_latest_values_are_shown_together(console, stream, clock):
    with console.stage("training", None) as stage:
        stage.advance(1, loss=0.123456)
        clock.now = 11.0
        stage.advance(2, success_ever=0.9)
    assert stream.getvalue().splitlines() == [
        "training: 2, loss 0.123, success ever 0.9",
        "training: 2, took 0:11, loss 0.123, success ever 0.9",
    ]


def test_a_stage_that_fails_ends_too(console, stream):
    def fail():
        with console.stage("fit", 5) as stage:
            stage.advance(2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert stream.getvalue() == "fit: 2/5, took 0:00\n"


def test_a_fit_opens_and_ends_its_stages(console, stream, clock):
    for done in (1, 2):
        clock.now += 1
        console.prior_progress(Progress("fit", done, 2, {"log_likelihood": -1.0 * done}))
    console.prior_progress(Progress("condition", 0, 1, {}))
    clock.now += 3
    console.prior_progress(Progress("factorise", 0, 4, {}))
    console.close()
    console.close()
    assert stream.getvalue().splitlines() == [
        "fit: 2/2, took 0:01, log likelihood -2",
        "condition: 0/1, took 0:03",
        "factorise: 0/4, took 0:00",
    ]


def test_quiet_shows_lines_only(stream, clock):
    console = PlainConsole(stream, quiet=True, clock=clock)
    with console.stage("training", 10) as stage:
        clock.now = 100.0
        stage.advance(5)
    console.line("evaluation: 0.9")
    assert stream.getvalue() == "evaluation: 0.9\n"


def test_plain_output_never_moves_the_cursor(console, stream, clock):
    with console.stage("training", 10) as stage:
        for step in range(10):
            clock.now += 10
            stage.advance(step)
        console.line("[bold] is no markup")
    assert not set("\r\x1b") & set(stream.getvalue())
    assert "[bold] is no markup" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (3723, "1:02:03"), (-1, "0:00")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "term", "quiet", "name"),
    [
        (Terminal(), "xterm", False, "TerminalConsole"),
        (Terminal(), "xterm", True, "PlainConsole"),
        (Terminal(), "dumb", False, "PlainConsole"),
        (Terminal(), None, False, "PlainConsole"),
        (io.StringIO(), "xterm", False, "PlainConsole"),
    ],
)
def test_the_console_fits_the_stream(monkeypatch, stream, term, quiet, name):
    monkeypatch.delenv("TERM", raising=False)
    if term:
        monkeypatch.setenv("TERM", term)
    assert type(open_console(quiet=quiet, stream=stream)).__name__ == name
