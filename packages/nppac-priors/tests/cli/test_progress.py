from __future__ import annotations

import io

from nppac_priors.cli import progress
from nppac_priors.cli.progress import ProgressLine
from nppac_priors.progress import Progress

REPORT = Progress("fit", 1200, 5000, {"held_out_loss": -0.51234})


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_a_line_now_and_then(monkeypatch):
    clock = iter([0.0, 5.0, 11.0, 12.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    with ProgressLine("gp", stream=stream) as line:
        for _ in range(3):
            line(REPORT)
    assert stream.getvalue() == "gp: fit 1,200/5,000  held out loss -0.5123\n"


def test_a_terminal_gets_one_line_that_is_wiped_in_the_end(monkeypatch):
    clock = iter([0.0, 1.0, 2.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = Terminal()
    with ProgressLine("gp", stream=stream) as line:
        line.about("seed 3")(REPORT)
        line(REPORT)
    written = stream.getvalue()
    assert "\n" not in written
    assert written.count("gp, seed 3: fit 1,200/5,000") == 2
    assert written.endswith("\r\x1b[K")


def test_quiet_is_quiet():
    stream = Terminal()
    with ProgressLine("gp", quiet=True, stream=stream) as line:
        line(REPORT)
    assert stream.getvalue() == ""
