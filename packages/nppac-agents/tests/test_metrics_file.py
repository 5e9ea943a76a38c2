import json

import pytest
from nppac_agents.metrics_file import DamagedMetricsError, MetricsWriter, read_metrics


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


def test_a_mark_holds_as_long_as_what_was_before_it_is_the_same(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, [{"a": 1}])
    writer = MetricsWriter(path)
    writer.write({"a": 2})
    mark = writer.mark()
    assert mark.size == path.stat().st_size
    mark.check(path)
    writer.write({"a": 3})
    writer.close()
    mark.check(path)
    assert MetricsWriter(path).mark() != mark


def test_a_mark_notices_a_missing_a_cut_and_a_changed_file(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, [{"a": 1}, {"a": 2}])
    mark = MetricsWriter(path).mark()
    whole = path.read_bytes()
    for content in (whole[:-1], b"", whole.replace(b"1", b"3")):
        path.write_bytes(content)
        with pytest.raises(DamagedMetricsError, match=r"metrics.jsonl: damaged: its first 18 by"):
            mark.check(path)
    path.unlink()
    with pytest.raises(DamagedMetricsError, match="cannot be read: No such file"):
        mark.check(path)
