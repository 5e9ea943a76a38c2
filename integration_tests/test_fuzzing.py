"""The first cases of the fuzzers, and a search for experiments that do not read back."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.running.run_directory import resolved
from nppac_priors.atomic_files import write_json
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium

HERE = Path(__file__).parent


@pytest.mark.parametrize("script", ["fuzz_configs.py", "fuzz_files.py"])
def test_the_first_200_cases(script: str, monkeypatch, capsys):
    if script == "fuzz_files.py":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(sys, "argv", [script, "200"])
    monkeypatch.syspath_prepend(HERE)
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(HERE / script), run_name="__main__")
    printed = capsys.readouterr()
    assert stop.value.code == 0, printed.out + printed.err
    counts = dict(reversed(line.split(maxsplit=1)) for line in printed.out.splitlines()[:-1])
    assert sum(map(int, counts.values())) == 200
    assert sum(int(n) for what, n in counts.items() if what.endswith(("read", "accepted"))) > 5


@pytest.fixture(scope="module")
def fuzzer() -> dict[str, object]:
    sys.path.insert(0, str(HERE))
    try:
        return runpy.run_path(str(HERE / "fuzz_configs.py"))
    finally:
        sys.path.remove(str(HERE))


@pytest.mark.slow
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rng=st.randoms(use_true_random=False))
def test_a_config_of_any_kinds_reads_back_as_the_same_experiment(fuzzer, tmp_path, rng):
    write_json(tmp_path / "a.json", fuzzer["experiment"](rng))
    try:
        config = load_experiment(tmp_path / "a.json")
    except ConfigError:
        return
    fuzzer["check_round_trip"](config, tmp_path / "config.json")
    assert load_experiment(tmp_path / "config.json").output_dir == resolved(config)["output_dir"]
