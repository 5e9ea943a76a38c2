from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from nppac_agents.reporting.aggregates import aggregate, improvements, last_scores
from nppac_agents.reporting.comparison import comparison_figure, task_panels
from nppac_agents.reporting.comparison_files import write_comparison
from nppac_agents.reporting.comparison_table import table_of, terminal_table
from nppac_agents.reporting.tasks import read_tasks
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium

PEN = {"env": {"kind": "pen", "horizon": 100, "reward": "zero-one"}}
LONG = {"env": {"kind": "door", "horizon": 300, "reward": "zero-one"}}


@pytest.fixture
def groups(write_run):
    """Two methods on door and pen, five and two seeds."""
    runs = {"ours": [], "theirs": []}
    for method, paths in runs.items():
        for task, settings, seeds in (("door", None, 5), ("pen", PEN, 2)):
            for seed in range(seeds):
                where = f"{method}-{task}-{seed}"
                of = seed + 10 * (method == "ours")
                paths.append(write_run(where, seed=of, settings=settings, last_step=5000))
    return runs


def test_runs_are_told_apart_by_their_tasks(groups):
    tasks = read_tasks(groups)
    assert [task.name for task in tasks] == ["door", "pen"]
    assert [len(task.runs["ours"]) for task in tasks] == [5, 2]


def test_one_environment_under_two_protocols_is_two_tasks_named_by_the_difference(write_run):
    paths = [write_run("a", last_step=2500), write_run("b", last_step=2500, settings=LONG)]
    tasks = read_tasks({"ours": paths})
    assert [t.name for t in tasks] == ["door (env.horizon 200)", "door (env.horizon 300)"]


def test_a_seed_twice_on_one_task_is_refused(write_run):
    paths = [write_run(name, last_step=2500) for name in ("a", "b")]
    with pytest.raises(ConfigError, match="has seed 3 twice"):
        read_tasks({"ours": paths})


@pytest.fixture
def mixed(write_run):
    """Door, and a task that tells no success."""
    hopper = {"env": {"kind": "hopper", "horizon": 1000}}
    return read_tasks(
        {
            "ours": [
                write_run("door", last_step=2500),
                write_run("hopper", last_step=2500, settings=hopper, success=False, reported=3),
            ]
        }
    )


def test_a_task_without_success_is_compared_by_its_return(mixed, tmp_path):
    _, hopper = mixed
    assert [panel.key for panel in task_panels(mixed, ["success_ever"]).panels] == [
        "door-success_ever"
    ]
    for suffix in ("html", "json", "csv"):
        write_comparison(mixed, tmp_path / f"all.{suffix}")
    runs = {run["task"]: run for run in json.loads((tmp_path / "all.json").read_text())["runs"]}
    assert [runs[task]["measure"] for task in runs] == ["success_ever", "return_mean"]
    last = hopper.runs["ours"][0].evaluations[-1]["return_mean"]
    assert runs["hopper"]["last"] == last == [*runs["hopper"]["curve"].values()][-1]
    of_door, of_hopper = (tmp_path / "all.html").read_text().split("<h2>door</h2>")[1].split("<h2>")
    assert "Success at any step, by" in of_door
    assert "steps to 50" in of_door
    assert "Return, by" in of_hopper
    assert "steps to 50" not in of_hopper


def test_where_no_task_tells_success_there_is_none(mixed, tmp_path):
    _, hopper = mixed
    write_comparison([hopper], tmp_path / "page.html")
    assert "hopper: return" in (tmp_path / "page.html").read_text()
    for table in (table_of(hopper.runs), terminal_table(hopper.runs, 80)):
        assert "Return" in table
        assert "Success" not in table
        assert "olved" not in table
    for name in ("figure.png", "numbers.csv", "numbers.json"):
        with pytest.raises(ConfigError, match="success_ever: no run tells success; choose return"):
            write_comparison([hopper], tmp_path / name, ["success_ever"])


def silenced(path, *indices):
    """Evaluations in which nobody told success, as where a task tells it only when it happens."""
    file = path / "metrics.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()]
    evaluations = [event for event in events if event["event"] == "evaluation"]
    for index in indices:
        evaluations[index].update(dict.fromkeys(("success_ever", "success_at_end")))
        evaluations[index].update(solved_fraction=None, time_to_success=None)
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_untold_success_is_none_where_any_run_of_the_task_tells_it(write_run):
    first = silenced(write_run("first", seed=0, last_step=5000), 0, 2)
    other = silenced(write_run("other", seed=1, last_step=5000), 0, 1, 2)
    (task,) = read_tasks({"ours": [first], "theirs": [other]})
    (ours,), (theirs,) = task.runs["ours"], task.runs["theirs"]
    curve = ours.curve("success_ever", "env_steps")
    assert (curve[0], curve[2500] > 0, curve[5000]) == (0.0, True, 0.0)
    assert [*theirs.curve("success_at_end", "env_steps").values()] == [0.0, 0.0, 0.0]
    assert not theirs.curve("time_to_success", "env_steps")
    scores = last_scores([task], "success_ever")
    assert (scores["ours"]["door"], scores["theirs"]["door"]) == ([0.0], [0.0])


def test_success_that_no_run_tells_stays_unknown(write_run):
    path = silenced(write_run("run", last_step=2500), 0, 1)
    (task,) = read_tasks({"ours": [path]})
    assert [measure.field for measure in task.measures] == ["return_mean"]
    assert not task.runs["ours"][0].curve("success_ever", "env_steps")


def test_statistics_are_over_the_last_evaluations_of_all_tasks(groups):
    tasks = read_tasks(groups)
    scores = last_scores(tasks, "success_ever")
    door = [run.evaluations[-1]["success_ever"] for run in tasks[0].runs["ours"]]
    np.testing.assert_array_equal(scores["ours"]["door"], door)
    found = aggregate(scores["ours"])
    assert (found.tasks, found.runs, found.interval) == (2, 7, None)
    only_door = aggregate({"door": scores["ours"]["door"]})
    assert only_door.interval is not None
    assert only_door.interval.low <= only_door.interquartile_mean <= only_door.interval.high
    pairs = improvements(scores)
    assert set(pairs) == {("ours", "theirs"), ("theirs", "ours")}
    assert pairs["ours", "theirs"][2] == 2
    assert pairs["ours", "theirs"][0] == pytest.approx(1 - pairs["theirs", "ours"][0])


def test_every_format_is_written_and_is_what_its_name_says(groups, tmp_path):
    tasks = read_tasks(groups)
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!", "json": b"{"}
    for suffix, start in starts.items():
        out = tmp_path / "out" / f"x.{suffix}"
        write_comparison(tasks, out, ("success_ever",))
        assert out.read_bytes().startswith(start)
        if suffix in ("svg", "pdf"):
            first = out.read_bytes()
            write_comparison(tasks, out, ("success_ever",))
            assert out.read_bytes() == first
    page = (tmp_path / "out" / "x.html").read_text()
    assert "Performance profile" in page
    assert page.count('<th scope="col">steps to 90\u00a0%</th>') == 2
    data = json.loads((tmp_path / "out" / "x.json").read_text())
    assert set(data["tasks"]) == {"door", "pen"}
    assert len(data["runs"]) == 14
    assert data["runs"][0]["curve"]["5000"] == data["runs"][0]["last"]
    with pytest.raises(ConfigError, match=r"has to end in one of .png, .svg, .pdf, .html"):
        write_comparison(tasks, tmp_path / "x.jpg")


def test_numbers_as_csv_have_a_line_for_each_run(groups, tmp_path):
    tasks = read_tasks(groups)
    write_comparison(tasks, tmp_path / "x.csv", ("solved_fraction",))
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert len(rows) == 14
    run = tasks[1].runs["theirs"][1]
    (row,) = [
        row for row in rows
        if (row["task"], row["method"], row["seed"]) == ("pen", "theirs", str(run.seed))
    ]  # fmt: skip
    assert float(row["last"]) == run.evaluations[-1]["solved_fraction"]
    assert float(row["first"]) == run.evaluations[0]["solved_fraction"]
    assert row["env_steps"] == "5000"


@pytest.mark.parametrize("axis", ["env_steps", "updates", "wall_seconds"])
def test_curves_are_drawn_over_the_axis_that_is_asked_for(groups, axis):
    panels = task_panels(read_tasks(groups), ("success_ever",), axis).panels
    assert [panel.title for panel in panels] == [
        "door: success at any step", "pen: success at any step",
    ]  # fmt: skip
    last = {"env_steps": 5000, "updates": 4000, "wall_seconds": 12.346 + 5000 * 0.0931}[axis]
    for panel in panels:
        assert max(curve.x.max() for curve in panel.curves) == pytest.approx(last, abs=0.01)


@pytest.fixture
def solved(groups):
    """The two tasks; both methods solve pen in every episode from the first on."""
    for path in (path for paths in groups.values() for path in paths if "-pen-" in path.name):
        file = path / "metrics.jsonl"
        events = [json.loads(line) | {"success_ever": 1.0} for line in file.open()]
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return read_tasks(groups)


def test_what_is_one_value_for_all_methods_is_told_in_a_line(solved, tmp_path):
    measures = ("success_ever", "success_at_end")
    drawn = task_panels(solved, measures)
    assert [panel.key for panel in drawn.panels] == [
        "door-success_ever", "door-success_at_end", "pen-success_at_end",
    ]  # fmt: skip
    line = "Constant throughout: pen: success at any step 1.00."
    assert drawn.in_words == line
    write_comparison(solved, tmp_path / "x.html", measures)
    assert line in (tmp_path / "x.html").read_text()
    footnote = comparison_figure(solved, measures).texts[-1]
    assert footnote.get_text().startswith(line)


def test_a_method_keeps_its_colour_and_its_name_where_it_is_alone(write_run):
    hopper = {"env": {"kind": "hopper", "horizon": 1000, "kwargs": {}, "healthy": None}}
    runs = {
        "ours": [write_run("ours", last_step=5000)],
        "theirs": [
            write_run("theirs", seed=4, last_step=5000),
            write_run("alone", seed=5, last_step=5000, settings=hopper),
        ],
    }
    both, alone = task_panels(read_tasks(runs), ("success_at_end",)).panels
    assert [curve.colour for curve in alone.named] == [both.curves[1].colour]
    assert [curve.name for curve in alone.named] == ["theirs (1 seed)"]
    lone = {"theirs": runs["theirs"][:1]}
    (panel,) = task_panels(read_tasks(lone), ("success_at_end",)).panels
    assert panel.named == []


def test_a_protocol_tells_what_is_set(write_run, tmp_path):
    pen = {"env": {"kind": "pen", "horizon": 100, "kwargs": {}, "keys": None, "ends": False}}
    tasks = read_tasks({"ours": [write_run("pen", last_step=5000, settings=pen)]})
    write_comparison(tasks, tmp_path / "x.html")
    line = "by env.kind pen, env.horizon 100, env.ends false, evaluation.episodes 20, "
    assert line in (tmp_path / "x.html").read_text()


def test_a_figure_of_nothing_else_draws_it_and_a_page_does_not(solved, tmp_path):
    figure = comparison_figure(solved[1:], ("success_ever",))
    assert len(figure.axes) == 1
    assert "Constant" not in figure.texts[-1].get_text()
    write_comparison(solved[1:], tmp_path / "x.html", ("success_ever",))
    page = (tmp_path / "x.html").read_text()
    assert "Constant throughout: pen: success at any step 1.00." in page
    assert "Where curves coincide" not in page


def test_returns_of_tasks_have_no_common_statistics(groups, tmp_path):
    write_comparison(read_tasks(groups), tmp_path / "x.html", ("return_mean",))
    page = (tmp_path / "x.html").read_text()
    assert "has no common unit over tasks" in page
    assert "Performance profile" not in page
