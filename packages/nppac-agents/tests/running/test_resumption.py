from __future__ import annotations

import io

from nppac_agents.running.identity import RunIdentity
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.resumption import find_resumption
from nppac_agents.running.run_directory import RunDirectory


def test_a_first_start_with_resume_misses_no_file(point_experiment, tmp_path):
    directory = RunDirectory.resume(tmp_path / "run", point_experiment)
    current, said = RunIdentity.new(point_experiment, None), io.StringIO()
    assert find_resumption(directory, current, PlainConsole(said)) == (current, None)
    assert said.getvalue() == "no checkpoint yet: starting from the beginning\n"


def test_a_run_that_has_fitted_something_misses_its_identity(point_experiment, tmp_path):
    directory = RunDirectory.resume(tmp_path / "run", point_experiment)
    directory.prior.touch()
    said = io.StringIO()
    find_resumption(directory, RunIdentity.new(point_experiment, None), PlainConsole(said))
    assert "environment.json: no such file; it is written anew" in said.getvalue()
