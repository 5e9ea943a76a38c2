from __future__ import annotations

import io
import re

import pytest
from nppac_agents.running.terminal_console import TerminalConsole
from nppac_priors.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream(monkeypatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def screen(stream: Terminal) -> str:
    """What was written, without control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())


def test_a_bar_shows_steps_and_values(stream):
    console = TerminalConsole(stream)
    with console.stage("training", 2000) as stage:
        stage.advance(1200, updates_per_second=41.23, success_ever=0.85)
        console.line("evaluation at 1,000: [0.85]")
    text = screen(stream)
    assert "evaluation at 1,000: [0.85]\n" in text.replace("\r", "")
    last = text.rstrip().splitlines()[-1]
    assert last.startswith("training ")
    assert "1,200/2,000" in last
    assert "updates/s 41.2  success ever 0.85" in last


def test_an_inner_stage_disappears_and_the_outer_one_stays(stream):
    console = TerminalConsole(stream)
    with console.stage("training", 10) as outer:
        with console.stage("evaluation", 5) as inner:
            inner.advance(5)
        outer.advance(10)
    final = screen(stream).rstrip().splitlines()[-1]
    assert "training" in final
    assert "evaluation" not in final
    with console.stage("report", None) as stage:
        stage.advance(1)
    assert screen(stream).rstrip().splitlines()[-1].startswith("report")


def test_a_stage_that_fails_gives_the_cursor_back(stream):
    def fail():
        with TerminalConsole(stream).stage("fit", 5):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert stream.getvalue().rfind("\x1b[?25h") > stream.getvalue().rfind("\x1b[?25l")


def test_a_fit_is_a_bar(stream):
    console = TerminalConsole(stream)
    for done in range(1, 4):
        console.prior_progress(Progress("fit", done, 3, {"log_likelihood": 0.5}))
    assert "3/3" in screen(stream)


def test_no_color_has_no_colours(stream, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with TerminalConsole(stream).stage("fit", 5) as stage:
        stage.advance(3)
    colours = re.findall(r"\x1b\[([0-9;]*)m", stream.getvalue())
    assert not [code for code in colours if re.search(r"\b(3[0-7]|38|9[0-7])\b", code)]
