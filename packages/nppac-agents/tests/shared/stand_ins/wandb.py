"""wandb's calls, as far as a run makes them; a run that goes back a step is refused."""

import os
from types import SimpleNamespace

RUNS = []
logged_in = False
answers = True


class Error(Exception):
    pass


def setup():
    mode, project = os.environ.get("WANDB_MODE", "online"), os.environ.get("WANDB_PROJECT")
    return SimpleNamespace(settings=SimpleNamespace(mode=mode, project=project, finish_timeout=0.0))


def login(*, prompt):
    assert not prompt, "a run would wait for somebody to answer"
    if logged_in and not answers:
        raise Error("timed out\nConsider another timeout")
    return logged_in


def init(**options):
    assert (logged_in and answers) or options["mode"] != "online"
    RUNS.append(Run(options))
    return RUNS[-1]


class Run:
    def __init__(self, options):
        self.options, self.rows, self.axes, self.finished = options, [], {}, False
        same = [run for run in RUNS if run.options["id"] == options["id"]]
        self.step = max((run.step for run in same), default=0)

    def define_metric(self, name, step_metric):
        self.axes[name] = step_metric

    def log(self, data, step):
        assert not self.finished
        assert step >= self.step, "wandb does not go back"
        self.step = step
        self.rows.append((step, dict(data)))

    def finish(self):
        self.finished = True
