import json

from nppac_agents.running.metrics import MetricsWriter, read_metrics, truncate_metrics


def write(path, events):
    writer = MetricsWriter(path)
    for event in events:
        writer.write(event)
    writer.close()


def test_events_come_back_in_order_and_non_finite_numbers_are_null(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, [{"a": 1, "b": float("nan")}, {"c": [float("inf"), 2.5], "d": {"e": True}}])
    write(path, [{"a": 2}])
    assert read_metrics(path) == [
        {"a": 1, "b": None},
        {"c": [None, 2.5], "d": {"e": True}},
        {"a": 2},
    ]


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, [{"a": 1}])
    with path.open("a") as file:
        file.write('{"a": 2, "b"')
    assert read_metrics(path) == [{"a": 1}]


def test_every_event_is_on_disk_as_soon_as_it_is_written(tmp_path):
    path = tmp_path / "metrics.jsonl"
    writer = MetricsWriter(path)
    writer.write({"a": 1})
    assert json.loads(path.read_text()) == {"a": 1}
    writer.close()


def test_events_after_a_checkpoint_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    events = [{"env_steps": n, "updates": 2 * n} for n in (0, 5, 10, 15)]
    write(path, events)
    truncate_metrics(path, env_steps=10, updates=20)
    assert read_metrics(path) == events[:3]
