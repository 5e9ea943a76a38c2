from __future__ import annotations

import json

import numpy as np
from nppac_agents.metric_names import METRICS
from nppac_agents.reporting.run_files import RunFiles
from nppac_agents.reporting.run_panels import (
    evaluation_panels,
    guard_panels,
    prior_panel,
    training_panels,
)


def rewrite(path, change):
    file = path / "metrics.jsonl"
    events = [change(json.loads(line)) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return RunFiles.read(path)


def test_measures_are_drawn_over_environment_steps(write_run):
    run = RunFiles.read(write_run(last_step=5000))
    panels = evaluation_panels(run).panels
    events = [logged.event for logged in run.evaluations]
    for panel in panels:
        (curve,) = panel.curves
        np.testing.assert_array_equal(curve.x, [0, 2500, 5000])
        np.testing.assert_array_equal(curve.y, [event[panel.key] for event in events])
    limits = {panel.key: panel.limits for panel in panels}
    assert limits["success_ever"] == (0, 1)
    assert limits["time_to_success"] == (0, 200)
    assert all(panel.x_end == 20_000 for panel in panels)


def test_offline_run_is_drawn_over_updates(write_run):
    run = rewrite(write_run(last_step=5000), lambda event: {**event, "env_steps": 0})
    panel = evaluation_panels(run).panels[0]
    assert panel.x_label == "updates"
    np.testing.assert_array_equal(panel.curves[0].x, [0, 1500, 4000])


def test_a_phase_without_interaction_is_drawn_over_updates_although_steps_were_made(write_run):
    run = rewrite(write_run(last_step=500), lambda event: {**event, "env_steps": 8000})
    panel = training_panels(run, "online").panels[0]
    assert panel.x_label == "updates"
    np.testing.assert_array_equal(panel.curves[0].x, [250, 500])


def test_quantities_that_an_agent_does_not_report_are_left_out(write_run):
    kept = {"event", "phase", "env_steps", "updates", "wall_seconds", "critic_value"}
    run = rewrite(
        write_run(), lambda event: {k: v for k, v in event.items() if k in kept or k != "alpha"}
    )
    keys = [panel.key for panel in training_panels(run, "online").panels]
    assert keys == ["kl", "critic", "gradients", "std", "critic_loss", "actor_loss"]


def test_what_only_one_method_reports_gets_its_own_panel(write_run):
    run = rewrite(write_run(last_step=500), lambda event: {**event, "step_kl": event["updates"]})
    (panel,) = [p for p in training_panels(run, "online").panels if p.key == "step_kl"]
    assert panel.title == "Step kl"
    np.testing.assert_array_equal(panel.curves[0].y, [250, 500])


def test_returns_of_samples_and_of_the_mode_are_in_one_panel(write_run):
    def with_returns(event):
        return {
            **event,
            "rollout_return": 2 * event["updates"],
            "mode_return": 3 * event["updates"],
        }

    run = rewrite(write_run(last_step=500), with_returns)
    panels = training_panels(run, "online").panels
    samples, mode = next(panel for panel in panels if panel.key == "returns").curves
    np.testing.assert_array_equal([samples.y, mode.y], [[500, 1000], [750, 1500]])
    assert (samples.name, mode.name) == ("return of samples", "return of the mode")
    assert not {"rollout_return", "mode_return"} & {panel.key for panel in panels}


def test_a_panel_speaks_of_what_it_draws_alone(write_run):
    run = rewrite(
        write_run(last_step=500), lambda event: {**event, "rollout_return": event["updates"]}
    )
    (panel,) = [p for p in training_panels(run, "online").panels if p.key == "returns"]
    assert [curve.name for curve in panel.curves] == ["return of samples"]
    metric = METRICS["rollout_return"]
    assert panel.meaning == f"{metric.sentence} {metric.reading}"
    assert panel.note == metric.unit


def test_a_panel_all_of_whose_quantities_stay_is_none_at_all(write_run):
    run = rewrite(
        write_run(last_step=500), lambda event: {**event, "critic_value": 1.0, "target_value": 2.0}
    )
    phase = training_panels(run, "online")
    assert "critic" not in [panel.key for panel in phase.panels]
    assert phase.constants["critics' value"] == "1"


def test_what_stays_at_one_value_gets_no_panel(write_run):
    phase = training_panels(RunFiles.read(write_run(last_step=500)), "online")
    assert phase.constants == {"temperature α": "0.1"}
    assert "alpha" not in [panel.key for panel in phase.panels]


def test_measures_have_bands_where_their_episodes_are_known(write_run):
    panels = evaluation_panels(RunFiles.read(write_run(last_step=2500))).panels
    bands = {panel.key: panel.curves[0].low for panel in panels}
    assert {key for key, low in bands.items() if low is not None} == {
        "success_ever",
        "success_at_end",
        "time_to_success",
    }
    assert (bands["success_ever"] < panels[0].curves[0].y).all()


def test_the_normalised_return_stands_in_tables_for_its_curve_is_that_of_the_return(write_run):
    def normalise(event):
        returned = event.get("return_mean")
        return event if returned is None else {**event, "normalised_return": returned / 2}

    run = rewrite(write_run(last_step=2500), normalise)
    assert "return_mean" in [panel.key for panel in evaluation_panels(run).panels]
    assert "normalised_return" not in [panel.key for panel in evaluation_panels(run).panels]


def test_exploding_divergence_gets_a_logarithmic_axis(write_run):
    path = write_run()
    calm = training_panels(RunFiles.read(path), "online").panels
    assert {panel.key: panel.scale for panel in calm}["kl"] == "linear"
    wild = rewrite(path, lambda e: {**e, "kl": 1e6 if e["updates"] == 20_000 else e.get("kl")})
    assert {p.key: p.scale for p in training_panels(wild, "online").panels}["kl"] == "symlog"


def test_zero_gradient_leaves_a_gap_on_the_logarithmic_axis(write_run):
    vanished = {250: 0.0, 500: 1.0}
    run = rewrite(
        write_run(last_step=500), lambda e: {**e, "actor_grad_norm": vanished.get(e["updates"])}
    )
    (panel,) = [p for p in training_panels(run, "online").panels if p.key == "gradients"]
    assert panel.scale == "log"
    np.testing.assert_array_equal(panel.curves[0].y, [np.nan, 1.0])


def test_prior_panel_leaves_the_data_itself_to_the_line():
    curve = {
        "distance": [0.0, 1.0, 10.0],
        "mean_std": [0.3, 0.2, 0.1],
        "p10": [0.2, 0.1, 0.05],
        "p90": [0.4, 0.3, 0.2],
        "n": [10, 10, 10],
        "on_data_median": 0.31,
        "dimensions": 4,
    }
    moved, on_data = prior_panel(curve).curves
    np.testing.assert_array_equal(moved.x, [1, 10])
    np.testing.assert_array_equal(moved.y, [0.2, 0.1])
    np.testing.assert_array_equal(on_data.y, [0.31, 0.31])
    assert prior_panel(curve).scale == "linear"
    assert prior_panel({**curve, "p10": [0.2, 0.1, 1e-4]}).scale == "log"


def test_the_guard_has_a_panel_for_each_gauge_that_was_measured(write_run):
    path = write_run(last_step=5000)
    assert guard_panels(RunFiles.read(path)).panels == []
    measured = {0: None, 2500: 3.0, 5000: 1.0}

    def with_gauge(event):
        value = measured.get(event["env_steps"])
        known = event["event"] == "evaluation" and value is not None
        return event | {"value_over_return": value} if known else event

    (panel,) = guard_panels(rewrite(path, with_gauge)).panels
    curve, limit = panel.curves
    assert panel.key == "value_over_return"
    np.testing.assert_array_equal(curve.y, [np.nan, 3.0, 1.0])
    assert set(limit.y) == {2.0}
