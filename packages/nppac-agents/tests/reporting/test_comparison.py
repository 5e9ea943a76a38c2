from __future__ import annotations

import json
import re

import numpy as np
import pytest
from matplotlib.image import imread
from nppac_agents.reporting.compared_runs import read_groups
from nppac_agents.reporting.comparison import compare_runs, method_curves, panel_of
from nppac_agents.reporting.comparison_table import comparison_table, terminal_table
from nppac_agents.reporting.measures import BY_FIELD, MEASURES
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium

PEN = {"env": {"kind": "pen", "horizon": 200, "reward": "zero-one"}}
FIFTY = {"evaluation": {"every": 2500, "episodes": 50, "first_seed": 1000}}
OTHER_SEEDS = {"evaluation": {"every": 2500, "episodes": 20, "first_seed": 0}}
DOOR = {"kind": "door", "horizon": 200}
COLOURS = {"a": "#000000", "cloned": "#111111", "started": "#222222"}
BINARY = {**DOOR, "reward": "binary"}
SHORT = {"env": {"kind": "door", "horizon": 100, "reward": "zero-one"}}


def found(*rows) -> list[dict[int, float]]:
    return [dict(zip((0, 100, 200), row, strict=False)) for row in rows]


def cells(table):
    lines = [line for line in table.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line[2:-2].split(" | ")] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def summaries(path):
    return json.loads((path / "summary.json").read_text())


def test_few_seeds_are_drawn_one_by_one_with_their_mean():
    *single, middle = method_curves(found([0, 1, 4], [2, 3, 8]), "#000000", "name")
    assert [curve.y.tolist() for curve in single] == [[0, 1, 4], [2, 3, 8]]
    assert all(curve.low is None and curve.weight < middle.weight for curve in single)
    assert middle.y.tolist() == [1, 2, 6]
    assert (middle.low, middle.name) == (None, "name")


def test_many_seeds_are_drawn_as_two_means_and_an_interval():
    rows = np.array([[0.1, 0.5], [0.2, 0.5], [0.3, 0.5], [0.4, 0.5], [1.0, 0.5]])
    average, middle = method_curves(found(*rows.tolist()), "#000000", "name")
    np.testing.assert_allclose(average.y, [0.4, 0.5])
    np.testing.assert_allclose(middle.y, [0.3, 0.5])
    assert middle.low is not None
    assert middle.high is not None
    assert 0.1 <= middle.low[0] < 0.3 < middle.high[0] <= 1.0
    assert middle.low[1] == middle.high[1] == 0.5
    assert average.low is None


def test_lines_over_seeds_end_where_a_seed_ends():
    *single, middle = method_curves(found([0, 1, 4], [2, 3]), "#000000", "name")
    assert [len(curve.x) for curve in single] == [3, 2]
    assert middle.x.tolist() == [0, 100]


def test_seeds_without_a_common_step_have_no_interval():
    curves = method_curves([{step: 0.5} for step in range(5)], "#000000", "name")
    assert all(curve.x.size == 0 for curve in curves)


def test_figure_has_a_panel_for_each_measure(write_run, tmp_path):
    groups = {
        "many": [write_run(f"many{seed}", seed=seed, last_step=5000) for seed in range(5)],
        "few": [write_run(f"few{seed}", seed=seed, last_step=2500) for seed in range(2)],
    }
    two = imread(compare_runs(groups, tmp_path / "figures" / "two.png"))
    one = imread(compare_runs(groups, tmp_path / "one.png", measures=("time_to_success",)))
    assert two.shape[1] > 1.8 * one.shape[1]


def test_unknown_measure_lists_the_known_ones(write_run, tmp_path):
    groups = {"a": [write_run(last_step=2500)]}
    with pytest.raises(ConfigError, match="measure 'success' is unknown; choose from success_ever"):
        compare_runs(groups, tmp_path / "out.png", measures=("success",))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (PEN, "env.kind is 'door' in .* and 'pen' in "),
        (SHORT, "env.horizon is 200 in .* and 100 in "),
        (FIFTY, "evaluation.episodes is 20 in .* and 50 in "),
        (OTHER_SEEDS, "evaluation.first_seed is 1000 in .* and 0 in "),
    ],
)
@pytest.mark.parametrize("compare", [comparison_table, lambda g: compare_runs(g, g["a"][0] / "f")])
def test_protocols_are_not_mixed(write_run, settings, told, compare):
    one = write_run("one", last_step=2500)
    other = write_run("other", last_step=2500, settings=settings)
    with pytest.raises(ConfigError, match=told) as caught:
        compare({"a": [one], "b": [other]})
    assert "\n" not in str(caught.value)


def test_reported_results_have_columns_of_their_own(write_run):
    one = write_run("one", last_step=2500, reported=200)
    (row,) = cells(comparison_table({"a": [one]}))
    event = json.loads((one / "metrics.jsonl").read_text().splitlines()[-1])
    assert row["Success at any step (reported)"] == f"{event['success_ever']:.2f}"
    assert row["Return (reported)"] == f"{event['return_mean']:,.1f}"
    after = summaries(one)["after"]["success_ever"]
    assert row["Success at any step (before → after)"].endswith(f"→ {after:.2f}")


def test_runs_without_reporting_starts_are_marked_beside_those_with(write_run):
    first = write_run("first", seed=3, last_step=2500, reported=200)
    second = write_run("second", seed=4, last_step=2500)
    table = comparison_table({"a": [first, second], "b": [second]})
    assert "200 reporting starts, reset seeds 10000 to 10199" in table
    texts = [row["Success at any step (reported)"] for row in cells(table)]
    event = json.loads((first / "metrics.jsonl").read_text().splitlines()[-1])
    value = f"{event['success_ever']:.2f}"
    assert texts == [value, "not reported", f"{value}, 1 not reported", "not reported"]


def test_without_any_reported_result_the_table_has_no_such_column(write_run):
    assert "reported" not in comparison_table({"a": [write_run(last_step=2500)]})


def test_reports_on_different_starts_are_not_mixed(write_run):
    runs = [write_run(str(n), seed=n, last_step=2500, reported=n) for n in (50, 200)]
    with pytest.raises(ConfigError, match=r"seeds 10000 to 10049 in .* and 10000 to 10199 in"):
        comparison_table({"a": [runs[0]], "b": [runs[1]]})


def test_training_may_differ(write_run):
    one = write_run("one", last_step=2500)
    other = write_run("other", last_step=2500, settings={"training": {"env_steps": 5}})
    assert len(cells(comparison_table({"a": [one], "b": [other]}))) == 2


def test_methods_may_learn_from_different_rewards_but_not_share_a_return(write_run, tmp_path):
    one, other = (
        write_run(reward, last_step=2500, settings={"env": {**DOOR, "reward": reward}})
        for reward in ("zero-one", "binary")
    )
    groups = {"a": [one], "b": [other]}
    table = comparison_table(groups)
    returns = [row["Return (before → after)"] for row in cells(table)]
    assert [text.rpartition(" ")[2] for text in returns] == ["(zero-one)", "(binary)"]
    assert "env.reward" not in table
    assert "env.reward zero-one" in comparison_table({"a": [one]})
    compare_runs(groups, tmp_path / "success.png")
    with pytest.raises(ConfigError, match="return_mean: the runs have different rewards"):
        compare_runs(groups, tmp_path / "return.png", measures=("return_mean",))
    seeds = {"a": [one, write_run("s", seed=4, last_step=2500, settings={"env": BINARY})]}
    with pytest.raises(ConfigError, match=r"group 'a': env.reward is 'zero-one' in .* 'binary' in"):
        comparison_table(seeds)


def test_a_method_without_steps_is_a_level_beside_the_others(write_run):
    path = write_run("cloned", last_step=2500)
    file = path / "metrics.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps({**event, "env_steps": 0}) + "\n" for event in events))
    runs = read_groups({"a": [write_run(last_step=5000)], "cloned": [path]})
    level = panel_of(BY_FIELD["success_ever"], runs, COLOURS).curves[1]
    judged = [event for event in events if event["event"] == "evaluation"]
    assert level.x.tolist() == [0, 5000]
    assert set(level.y) == {judged[-1]["success_ever"]}


def test_a_run_that_was_only_judged_at_its_start_is_no_level(write_run):
    started = write_run("started", last_step=0, without=("summary.json",))
    runs = read_groups({"a": [write_run(last_step=5000)], "started": [started]})
    assert panel_of(BY_FIELD["success_ever"], runs, COLOURS).curves[1].x.tolist() == [0]


def test_groups_have_to_make_sense(write_run, tmp_path):
    path = write_run(last_step=2500)
    with pytest.raises(ConfigError, match="no runs to compare"):
        comparison_table({})
    with pytest.raises(ConfigError, match="group 'a' has no runs"):
        comparison_table({"a": []})
    with pytest.raises(ConfigError, match="group 'a' has seed 3 twice"):
        comparison_table({"a": [path, path]})
    with pytest.raises(ConfigError, match="no evaluation"):
        comparison_table({"a": [write_run("new", without=("metrics.jsonl",))]})


def test_table_wants_finished_runs(write_run):
    path = write_run(last_step=2500, without=("summary.json",))
    with pytest.raises(ConfigError, match="is not finished"):
        comparison_table({"a": [path]})


def test_few_seeds_have_a_row_each_and_no_interval(write_run):
    paths = [write_run(f"run{seed}", seed=seed) for seed in (3, 4)]
    table = comparison_table({"a|b": paths})
    rows = cells(table.replace("\\|", "/"))
    assert [row["seeds"] for row in rows] == ["3", "4", "3, 4"]
    assert "[" not in table
    for row, path in zip(rows, paths, strict=False):
        summary = summaries(path)
        before, after = summary["before"], summary["after"]
        assert row["Success at any step (before → after)"] == (
            f"{before['success_ever']:.2f} → {after['success_ever']:.2f}"
        )
        assert row["env steps"] == "20,000"
        assert row["updates"] == "19,000"
        assert row["config"] == "01234567"
    average = np.mean([summaries(path)["after"]["return_mean"] for path in paths])
    assert rows[2]["Return (before → after)"].endswith(f"→ {average:.1f}")
    assert "evaluation.episodes 20" in table


def test_many_seeds_have_two_means_with_intervals(write_run):
    paths = [write_run(f"run{seed}", seed=seed, last_step=2500) for seed in range(6)]
    average, middle = cells(comparison_table({"a": paths}))
    values = [summaries(path)["after"]["success_at_end"] for path in paths]
    cell = "Success at the end (before → after)"
    shown = re.fullmatch(r".* → ([\d.]+) \[([\d.]+), ([\d.]+)\]", average[cell])
    assert shown is not None
    number, low, high = map(float, shown.groups())
    assert number == pytest.approx(np.mean(values), abs=0.006)
    assert min(values) - 0.006 <= low <= number <= high <= max(values) + 0.006
    expected = np.mean(sorted(values)[1:-1])
    assert float(middle[cell].split(" → ")[1].split()[0]) == pytest.approx(expected, abs=0.006)


def test_seeds_without_a_success_are_counted(write_run):
    paths = [write_run(f"run{seed}", seed=seed, last_step=2500) for seed in (3, 4)]
    file = paths[0] / "metrics.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()]
    events[0]["time_to_success"] = None
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    rows = cells(comparison_table({"a": paths}))
    cell = "Steps to success (before → after)"
    assert rows[0][cell].startswith("– → ")
    assert "(1 of 2) → " in rows[2][cell]


def test_a_terminal_gets_a_table_for_each_measure_within_its_width(write_run):
    groups = {
        "nppac agent.alpha=0.1 prior.hidden=8_8": [write_run(f"a{s}", seed=s) for s in range(6)],
        "awac": [write_run("b", seed=3, last_step=2500, reported=200)],
    }
    shown = terminal_table(read_groups(groups), 80)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    for measure in MEASURES:
        assert (measure.title in shown) == (measure.field != "normalised_return"), "nobody told it"
    wide = cells(comparison_table(groups))[-1]
    before, after = wide["Success at any step (before → after)"].split(" → ")
    row = next(line.split() for line in lines if line.split()[:1] == ["awac"])
    assert row == ["awac", "3", before, after, wide["Success at any step (reported)"]]
    (costs,) = (line.split() for line in lines[-3:] if line.split()[:1] == ["awac"])
    assert costs[2:] == [wide[name] for name in ("env steps", "updates", "wall-clock", "config")]
    assert all(
        text in terminal_table(read_groups(groups), 200) for text in (*groups, "mean [95 %]")
    )
