"""The live table of a sweep, recorded as a terminal of 80 columns would show it."""

from __future__ import annotations

import io
import json

import pytest
from nppac_agents.studies.config import StudyConfig
from nppac_agents.studies.progress import read_progress
from nppac_agents.studies.study import Study
from nppac_agents.studies.table import rows
from nppac_agents.studies.view import LiveView, PlainView, open_view
from rich.console import Console

SAC = {"env": {"kind": "door"}, "agent": {"kind": "sac"}, "training": {"env_steps": 1_000_000}}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in (("COLUMNS", "80"), ("LINES", "16"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    grid = {"agent.alpha": [0.1, 0.4], "training.updates_per_step": [0.5, 1]}
    fields = {"experiments": {"sac": SAC}, "grid": grid, "seeds": "0:3", "output_dir": "s"}
    return Study.of(StudyConfig.model_validate(fields), "s.json")


def stand(run, *files, steps=0, **measured):
    run.path.mkdir(parents=True)
    (run.path / "config.json").touch()
    for name in files:
        (run.path / name).touch()
    measured = measured or {"success_ever": 0.25, "return_mean": 3.0}
    event = {"event": "evaluation", "env_steps": steps, "updates": steps, **measured}
    (run.path / "metrics.jsonl").write_text(json.dumps({**event, "wall_seconds": 4000.0}) + "\n")


def screens(study, *given_up):
    """What each renewal of the table leaves on the screen."""
    stream, times = Terminal(), iter(range(0, 100, 2))
    view = LiveView(study, stream, clock=lambda: next(times))
    for one in given_up:
        stream.seek(0)
        stream.truncate()
        view.show(one)
        yield plain(stream.getvalue())
    view.close()


def plain(text):
    console = Console(file=io.StringIO(), record=True, width=200)
    from rich.text import Text

    console.print(Text.from_ansi(text))
    return console.export_text()


def test_a_task_that_tells_no_success_shows_its_return(study):
    stand(study.runs[0], "summary.json", "report.html", steps=100)
    untold = {"success_ever": None, "return_mean": -3110.04}
    stand(study.runs[1], "summary.json", "report.html", steps=100, **untold)
    stream = io.StringIO()
    for run in study.runs[:2]:
        PlainView(stream).done(run, 1.0)
    told, silent = stream.getvalue().splitlines()
    assert told.endswith("success_ever 0.25")
    assert silent.endswith("return -3,110.0")
    _, *cells = rows({str(n): read_progress(run) for n, run in enumerate(study.runs[:3])})
    assert [row[4] for row in cells] == ["0.25", "return -3,110.0", "–"]


def test_the_table_fits_the_terminal_and_shows_first_what_runs_or_went_wrong(study):
    stand(study.runs[1], "summary.json", "report.html", steps=1_000_000)
    stand(study.runs[2], steps=250_000)
    (screen,) = screens(study, {study.runs[5].name: "no disk"})
    lines = [line.rstrip() for line in screen.splitlines() if line.strip()]
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 16
    assert "12 runs: 1 given up, 1 done, 1 interrupted, 9 waiting" in lines[0]
    rows = "\n".join(lines[3:])
    assert rows.index("given up") < rows.index("interrupted") < rows.index("done")
    assert "250k/1M" in rows
    assert "1:06:40" in rows
    assert lines[-1].strip() == "and 1 more"


def test_names_that_do_not_fit_keep_their_end(study):
    """Of two runs the ends differ, where the seed is."""
    (screen,) = screens(study, {})
    assert "s_per_step=0.5/seed0 " in screen


def test_what_is_done_is_read_once(study, monkeypatch):
    stand(study.runs[0], "summary.json", "report.html", steps=10)
    shown = screens(study, {}, {})
    assert "1 done" in next(shown)
    (study.runs[0].path / "summary.json").unlink()
    assert "1 done" in next(shown)


def test_the_table_is_of_terminals_alone(study, monkeypatch):
    assert isinstance(open_view(study, io.StringIO()), PlainView)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_view(study, Terminal()), PlainView)
