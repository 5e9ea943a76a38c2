from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nppac_priors import load_prior
from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.episodes import read_episodes

pytestmark = pytest.mark.medium

HEAVY = {"torch", "gpytorch", "pyro", "safetensors", "matplotlib"}
PICTURES = ("nppac_priors.drawing", "nppac_priors.health")
EIGHT = [f"{number}=exact-gp" for number in range(8)]
UNTRAINED = '{"kind": "constant-variance", "std": 0.1, "prior": {"kind": "exact-gp"}}'
QUICK = '{"kind": "exact-gp", "steps": 3}'
NETWORK = '{"kind": "gaussian-mlp", "steps": 4, "hidden": [8], "held_out_share": 0}'


@pytest.mark.parametrize("argv", [[], ["--help"]])
def test_help_shows_commands_examples_and_exit_codes(nppac_prior, argv):
    result = nppac_prior(*argv)
    assert (result.code, result.err) == (0, [])
    for word in ("fit", "report", "training", "kinds", "--compare", "episode_lengths"):
        assert word in result.out
    codes = result.out.split("exit codes:")[1].split()
    assert all(str(code.value) in codes for code in ExitCode)


@pytest.mark.parametrize("command", ["fit", "report", "training", "kinds"])
def test_every_command_has_help(nppac_prior, command):
    result = nppac_prior(command, "--help")
    assert result.code == 0
    assert result.out.startswith(f"usage: nppac-prior {command}")


def test_what_fits_nothing_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from nppac_priors.cli import main\n"
        "for argv in (['--help'], ['kinds'], ['kinds', 'exact-gp']):\n"
        "    try: code = main(argv)\n"
        "    except SystemExit as stop: code = stop.code\n"
        f"    print(code, *({HEAVY!r} & sys.modules.keys()), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.splitlines() == ["0"] * 3


def test_kinds_lists_kinds_and_fields(nppac_prior):
    lines = nppac_prior("kinds").out.splitlines()
    assert lines[0].split() == ["kind", "distribution", "version", "what"]
    assert any(line.split()[:2] == ["exact-gp", "nppac-priors"] for line in lines)
    fields = json.loads(nppac_prior("kinds", "exact-gp", "--json").out)
    kernel = next(row for row in fields if row["field"] == "kernel")
    assert kernel["default"] == '"matern32"'
    assert "matern12" in kernel["meaning"]


def test_a_prior_is_fitted_to_all_but_the_held_out_episodes(nppac_prior, data):
    result = nppac_prior(
        "fit", data, QUICK, "--output", "p.safetensors", "--hold-out", "0.5", "--quiet"
    )
    assert (result.code, result.err) == (0, [])
    assert result.out.startswith("p.safetensors: exact-gp, fitted to 60 steps of 3 episodes in ")
    assert result.out.endswith("; 3 held out\n")
    assert load_prior("p.safetensors").config.steps == 3


def test_a_prior_for_use_is_fitted_to_everything(nppac_prior, data):
    result = nppac_prior("fit", data, QUICK, "--output", "p.safetensors", "--hold-out", "0")
    assert "120 steps of 6 episodes" in result.out
    assert load_prior("p.safetensors").data_hash == read_episodes(data).data_hash


@pytest.mark.medium
def test_what_was_fitted_can_be_reported(nppac_prior, data):
    nppac_prior("fit", data, QUICK, "--output", "gp.safetensors")
    result = nppac_prior(
        "report",
        data,
        "gp.safetensors",
        "--compare",
        f"net={NETWORK}",
        "--visited",
        data,
        "--output",
        "out",
        "--quiet",
    )
    assert (result.code, result.err) == (0, [])
    assert "At the visited states" in result.out
    assert "At the visited states" in Path("out/health.html").read_text()
    assert result.out.splitlines()[0].split() == ["gp", "net"]
    assert result.out.splitlines()[-1] == "out/health.html"
    assert {"NLL", "collapse"} <= set(result.out.split())
    record = json.loads(Path("out/health.json").read_text())
    assert (record["title"], list(record["priors"])) == ("line", ["gp", "net"])
    assert "fit_seconds" in record["priors"]["net"]
    assert "fit_seconds" not in record["priors"]["gp"]


@pytest.mark.medium
def test_a_file_may_hold_several_priors(nppac_prior, data):
    priors = {"first": json.loads(QUICK), "second": json.loads(NETWORK)}
    Path("several.json").write_text(json.dumps(priors))
    result = nppac_prior("report", data, "several.json", "--output", "out", "--quiet")
    assert result.code == 0
    assert list(json.loads(Path("out/health.json").read_text())["priors"]) == ["first", "second"]
    result = nppac_prior("fit", data, "several.json", "--output", "p.safetensors")
    assert (result.code, result.err) == (
        2,
        ["error: several.json: holds 2 priors; fit one at a time"],
    )


def test_training_draws_what_it_followed(nppac_prior, data):
    result = nppac_prior("training", data, f"net={NETWORK}", "--seeds", "2", "--output", "out")
    assert (result.code, result.out) == (0, "out/training.html\n")
    record = json.loads(Path("out/training.json").read_text())["priors"]["net"]
    assert (record["steps"], record["seeds"]) == ([1, 2, 4], [0, 1])
    assert np.array(record["off_data_variance"]).shape == (2, 3)


@pytest.mark.medium
def test_a_prior_that_saw_all_episodes_is_judged_and_that_is_said(nppac_prior, data):
    """As a run's own prior did; beside it one that did not."""
    nppac_prior("fit", data, QUICK, "--output", "all.safetensors", "--hold-out", "0")
    nppac_prior("fit", data, QUICK, "--output", "some.safetensors")
    both = "all.safetensors", "--compare", "some.safetensors"
    result = nppac_prior("report", data, *both, "--output", "out")
    assert (result.code, result.err) == (0, [])
    for text in (result.out, Path("out/health.html").read_text()):
        assert text.count("It was fitted to these episodes, too") == 1
    priors = json.loads(Path("out/health.json").read_text())["priors"]
    assert [prior["saw_held_out"] for prior in priors.values()] == [True, False]


def test_a_prior_of_another_share_of_the_episodes_is_refused(nppac_prior, data):
    nppac_prior("fit", data, QUICK, "--output", "half.safetensors", "--hold-out", "0.5")
    result = nppac_prior("report", data, "half.safetensors", "--output", "out")
    assert result.code == 2
    (line,) = result.err
    assert "neither to all 6 episodes nor to the 4 that are left" in line
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("argv", "mentions"),
    [
        (["fit", "none.npz", "exact-gp", "--output", "p.safetensors"], "none.npz: no such file"),
        (["fit", "line.npz", "exat-gp", "--output", "p.safetensors"], "did you mean 'exact-gp'?"),
        (["fit", "line.npz", '{"kind": "exact-gp", "stps": 3}', "--output", "p"], "'stps'"),
        (["fit", "line.npz", '{"kind": ', "--output", "p"], "PRIOR: line 1, column"),
        (["fit", "line.npz", "none.json", "--output", "p"], "none.json: no such file in"),
        (["fit", "line.npz", "p.safetensors", "--output", "p"], "is fitted already"),
        (["fit", "line.npz", "exact-gp", "--output", "no/such/p"], "no/such: no such folder"),
        (["fit", "line.npz", "exact-gp", "--output", "p", "--hold-out", "1"], "between 0 and 1"),
        (["fit", "line.npz", "exact-gp"], "--output"),
        (["report", "line.npz", "p.safetensors", "--output", "out"], "p.safetensors: no such file"),
        (
            ["report", "line.npz", "exact-gp", "--compare", "exact-gp", "--output", "out"],
            "two priors are called 'exact-gp'; name one, as LABEL=PRIOR",
        ),
        (
            ["report", "line.npz", "exact-gp", "--output", "o", "--compare", *EIGHT[1:]],
            "up to 7 priors, got 8",
        ),
        (["training", "line.npz", "v={}", "--output", "out"], "v: has to be an object with"),
        (["training", "line.npz", UNTRAINED, "--output", "out"], "has no field steps"),
        (["fit", "line.npz", "constant-variance", "--output", "p"], "PRIOR.std: field required"),
        (["training", "line.npz", NETWORK, "--output", "out", "--seeds", "0"], "one seed or more"),
        (["kinds", "gp"], "unknown prior kind 'gp'"),
        (["fitt"], "invalid choice: 'fitt'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(nppac_prior, data, argv, mentions):
    result = nppac_prior(*argv)
    assert result.code == 2
    assert result.out == ""
    (line,) = result.err
    assert line.startswith("error: ")
    assert mentions in line
    assert [path.name for path in data.parent.iterdir()] == [data.name]


def test_debug_shows_where_it_failed(nppac_prior):
    result = nppac_prior("fit", "none.npz", "exact-gp", "--output", "p.safetensors", "--debug")
    assert result.err[0] == "Traceback (most recent call last):"
    assert result.err[-1].startswith("error: none.npz: no such file in ")


def test_without_matplotlib_a_report_says_what_to_install(nppac_prior, data, monkeypatch):
    for name in [n for n in sys.modules if n.startswith(PICTURES)]:
        monkeypatch.delitem(sys.modules, name)  # as in a new process
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: None if name == "matplotlib" else found(name, *more),
    )
    result = nppac_prior("report", data, "exact-gp", "--output", "out")
    assert (result.code, result.err) == (
        2,
        [
            "error: pictures and pages need matplotlib and jinja2: "
            "pip install 'nppac-priors[report]'"
        ],
    )


@pytest.mark.medium
def test_extending_a_fitted_prior(nppac_prior, data, tmp_path):
    settings = '{"kind": "exact-gp", "steps": 3, "subset_size": 50}'
    nppac_prior("fit", data, settings, "--hold-out", "0", "--output", "gp.safetensors", "--quiet")
    result = nppac_prior("extend", "gp.safetensors", data, "--output", "more.safetensors")
    assert (result.code, len(result.err)) == (2, 1)
    assert "fitted to all of these demonstrations already" in result.err[0]
    with np.load(data) as arrays:
        moved = {name: arrays[name] for name in arrays} | {"states": arrays["states"] + 0.5}
    np.savez(tmp_path / "further.npz", **moved)
    result = nppac_prior("extend", "gp.safetensors", "further.npz", "--output", "more.safetensors")
    assert result.code == 0
    assert "extended by 120 steps of 6 episodes" in result.out
    assert load_prior(tmp_path / "more.safetensors").state()["states"].shape == (240, 3)
