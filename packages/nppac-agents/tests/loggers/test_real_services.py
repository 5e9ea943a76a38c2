"""What the libraries themselves record of a resumed run, offline, where they are installed."""

import json
import sqlite3
import struct

import pytest
from nppac_agents.loggers.services import TrackioConfig, WandbConfig

pytestmark = pytest.mark.medium

RUN_ID = "0123456789abcdef" * 2


@pytest.fixture
def run_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    folder = tmp_path / "door-seed0"
    folder.mkdir()
    experiment = {"agent": {"kind": "sac"}, "training": {"env_steps": 1_000}}
    (folder / "config.json").write_text(json.dumps(experiment))
    (folder / "environment.json").write_text(json.dumps({"run_id": RUN_ID}))
    return folder


def event(env_steps, updates, phase, **numbers):
    position = {"env_steps": env_steps, "updates": updates, "wall_seconds": 1.5}
    return {"event": phase, "phase": phase, **position, **numbers}


def tell_twice(config, run_dir):
    """A run that is stopped at 200 steps and goes on from a checkpoint at 100."""
    events = [
        event(0, 50, "pretrain", actor_loss=4.0),
        event(100, 60, "online", kl=1.0),
        event(200, 80, "online", kl=2.0),
        event(200, 80, "evaluation", success_ever=0.5),
        event(300, 90, "online", kl=3.0),
    ]
    for said in (events[:3], events[2:]):
        tracker = config.open(run_dir)
        for each in said:
            tracker.write(each)
        tracker.close()


def test_trackio_has_one_run_with_every_row_once(run_dir):
    pytest.importorskip("trackio")
    tell_twice(TrackioConfig(project="doors"), run_dir)
    with sqlite3.connect(run_dir.parent / "trackio" / "doors.db") as database:
        found = database.execute("SELECT run_id, run_name, step, metrics FROM metrics ORDER BY id")
        ids, names, steps, rows = zip(*found, strict=True)
        ((config,),) = database.execute("SELECT config FROM configs")
    assert len(set(ids)) == 1
    assert set(names) == {"door-seed0-01234567"}
    assert steps == (50, 100, 200, 200, 300)
    assert [next(iter(json.loads(row))) for row in rows] == [
        *("pretrain/actor_loss", "online/kl", "online/kl"),
        *("evaluation/success_ever", "online/kl"),
    ]
    assert json.loads(config)["agent"] == {"kind": "sac"}


def test_wandb_records_both_parts_of_the_run_under_one_id(run_dir):
    pytest.importorskip("wandb")
    tell_twice(WandbConfig(), run_dir)
    parts = sorted((run_dir / "wandb").glob("offline-run-*"))
    assert len(parts) == 2
    rows, ids, axes = [], set(), {}
    for record in (record for part in parts for record in wandb_records(part)):
        match record.WhichOneof("record_type"):
            case "run":
                ids.add((record.run.run_id, record.run.project, record.run.display_name))
                assert "agent" in {item.key for item in record.run.config.update}
            case "metric":
                axes[record.metric.name or record.metric.glob_name] = record.metric.step_metric
            case "history":
                row = record.history.item
                rows.append(
                    {i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in row}
                )
    assert ids == {(RUN_ID, "nppac", "door-seed0")}
    assert axes == {
        "*": "updates",
        **dict.fromkeys(("rollouts/*", "online/*", "evaluation/*", "reporting/*"), "env_steps"),
    }
    assert [(row["_step"], row["env_steps"], row.get("online/kl")) for row in rows] == [
        *((50, 0, None), (160, 100, 1.0), (280, 200, 2.0)),
        *((280, 200, None), (390, 300, 3.0)),
    ]
    assert rows[3]["evaluation/success_ever"] == 0.5


def wandb_records(part):
    """The records of a `.wandb` file: a log in blocks of 32 KiB after a header of seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = part.glob("*.wandb")
    data, at, content = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32_768 - at % 32_768
        if left < 7:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        content += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or the last part of one
            record = Record()
            record.ParseFromString(content)
            yield record
            content = b""
