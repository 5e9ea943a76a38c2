import json
import math
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from nppac_agents.loggers.logger import LoggerConfig
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running.divergence import DivergedError
from nppac_agents.running.metrics_log import Recorder
from nppac_envs.measures import measure


@pytest.fixture
def recorder(tmp_path):
    recorder = Recorder(tmp_path / "metrics.jsonl")
    yield recorder
    recorder.close()


def losses(**values):
    return {name: torch.tensor(value) for name, value in values.items()}


def test_a_training_line_holds_means_since_the_last(recorder, tmp_path):
    for value in (1.0, 2.0, 6.0):
        recorder.add(losses(kl=value))
    recorder.add(losses(kl=3.0, actor_loss=5.0))
    recorder.env_steps = 40
    means = recorder.write_training("online", rollout_return=None)
    assert means == {"kl": 3.0, "actor_loss": 5.0}
    recorder.add(losses(kl=7.0))
    recorder.write_training("online")
    first, second = read_metrics(tmp_path / "metrics.jsonl")
    assert first["kl"] == 3.0
    assert (first["event"], first["phase"]) == ("train", "online")
    assert (first["env_steps"], first["updates"]) == (40, 4)
    assert first["rollout_return"] is None
    assert (second["kl"], second["updates"]) == (7.0, 5)
    assert first["updates_per_second"] > 0


def test_an_evaluation_line_holds_means_and_every_episode(recorder, tmp_path):
    successes = np.array([[False, True], [False, False]])
    recorder.write_evaluation(measure(successes, successes * 1.0, np.array([2, 2])))
    (event,) = read_metrics(tmp_path / "metrics.jsonl")
    assert event["success_ever"] == 0.5
    assert event["success_at_end"] == 0.0
    assert event["episodes"] == 2
    assert event["per_episode"]["time_to_success"] == [None, 1.0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_named_at_its_very_update_on_the_cpu(recorder, value):
    recorder.add(losses(kl=1.0, critic_loss=2.0))
    with pytest.raises(DivergedError, match=r"critic_loss is (nan|inf) by update 2 \(0 env"):
        recorder.add(losses(kl=1.0, critic_loss=value))


class OnADevice:
    """A scalar that must not be read in every update; it counts how often it is."""

    reads = 0
    device = torch.device("cuda")

    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        return OnADevice(self.value + other.value)

    def __truediv__(self, count):
        return OnADevice(self.value / count)

    def item(self):
        OnADevice.reads += 1
        return self.value


@pytest.mark.parametrize("bad", [0, 3, 6])
def test_on_a_device_a_loss_is_read_late_and_none_is_missed(recorder, bad):
    OnADevice.reads = 0
    for update in range(7):
        recorder.add({"kl": OnADevice(math.nan if update == bad else 1.0)})
    assert OnADevice.reads == 0
    with pytest.raises(DivergedError, match=r"kl is nan by update 7"):
        recorder.require_finite()
    assert OnADevice.reads == 1
    with pytest.raises(DivergedError, match=r"kl is nan by update 7"):
        recorder.write_training("online")


def test_a_restored_recorder_continues_the_means(recorder, tmp_path):
    recorder.add(losses(kl=1.0))
    recorder.env_steps = 8
    recorder.stopwatch.seconds["update"] = 3.0
    sums, counters = recorder.state()
    other = Recorder(tmp_path / "other.jsonl")
    other.load_state(sums, counters)
    other.add(losses(kl=2.0))
    assert other.write_training("online") == {"kl": 1.5}
    assert (other.env_steps, other.updates) == (8, 2)
    assert other.wall_seconds >= counters["wall_seconds"]
    assert other.stopwatch.seconds == {"update": 3.0}
    spent = other.time_spent()
    assert sum(spent.values()) == pytest.approx(other.wall_seconds, abs=0.1)
    other.close()


class HeardConfig(LoggerConfig):
    """One logger for a whole test."""

    kind: Literal["heard"] = "heard"
    _heard: ClassVar[list[Any]] = []

    def open(self, run_dir):
        self._heard.append(Heard())
        return self._heard[-1]


class Heard:
    """A logger that keeps what it is told."""

    def __init__(self):
        self.events, self.closed = [], False

    def write(self, event):
        self.events.append(dict(event))

    def close(self):
        self.closed = True


def test_every_logger_hears_what_the_metrics_file_gets(tmp_path):
    first, second = Heard(), Heard()
    recorder = Recorder(tmp_path / "metrics.jsonl", [first, second])
    recorder.env_steps = 12
    recorder.add(losses(kl=2.5))
    recorder.write_training("online", rollout_return=1.0)
    recorder.write_changes({"logging.every": (1, 2)})
    recorder.close()
    events = read_metrics(tmp_path / "metrics.jsonl")
    assert [event["event"] for event in events] == ["train", "changes"]
    assert json.loads(json.dumps(first.events)) == events
    assert second.events == first.events
    assert first.closed
    assert second.closed


@pytest.mark.medium
def test_a_run_tells_its_loggers_what_it_writes_itself(point_experiment, run_point):
    logging = point_experiment.logging.model_copy(update={"loggers": (HeardConfig(),)})
    _, run_dir = run_point(point_experiment.model_copy(update={"logging": logging}))
    (heard,) = HeardConfig._heard
    written = read_metrics(run_dir.metrics)
    assert [event["event"] for event in heard.events] == [event["event"] for event in written]
    assert heard.events[-1]["success_ever"] == written[-1]["success_ever"]
    assert heard.closed
