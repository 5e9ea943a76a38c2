"""trackio's calls, as far as a run makes them; keeps what it is told, by project and name."""

from typing import Any

RUNS: dict[tuple[str, str], list[tuple[int, dict[str, float]]]] = {}
CALLS: list[str] = []
CONFIG: dict[str, Any] = {}
fails_at: str | None = None
_current: list[tuple[str, str]] = []


def init(project, name, config, resume):
    assert resume == "allow"
    _call("init")
    CONFIG.update(config)
    RUNS.setdefault((project, name), [])
    _current[:] = [(project, name)]


def log(metrics, step):
    _call("log")
    RUNS[_current[0]].append((step, dict(metrics)))


def finish():
    _call("finish")


def _call(name):
    CALLS.append(name)
    if name == fails_at:
        raise ConnectionError("no such host\n(try again)")
