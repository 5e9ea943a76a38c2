"""Benchmarks run, at sizes that say nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nppac_envs import ShippedConfig
from nppac_priors import GaussianMLPConfig, prior_registry

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
UPDATE, ALARM, FIGURE, THROUGHPUT = (
    BENCHMARKS / f"{name}.py" for name in ("update", "alarm", "alarm_figure", "prior_throughput")
)


@pytest.mark.slow
def test_updates_are_timed_in_turns_and_peers_that_are_not_installed_left_out(tmp_path):
    found = tmp_path / "found.json"
    names = ["nppac-paper", "nppac-residual", "tianshou-sac"]
    subprocess.run(
        [
            *(sys.executable, UPDATE, "--tiny", "--blocks", "2", "--updates", "2"),
            *("--json", found, "--only", *names, "sb3-sac", "sbx-sac"),
        ],
        check=True,
    )
    rows = {row["learner"]: row for row in json.loads(found.read_text())}
    assert set(names) <= rows.keys() <= {*names, "sb3-sac", "sbx-sac"}
    for name in names:
        assert rows[name]["ms"] > 0
    assert rows["nppac-paper"]["over"]["tianshou-sac"] == pytest.approx(
        rows["nppac-paper"]["ms"] / rows["tianshou-sac"]["ms"], rel=0.9
    )
    assert rows["tianshou-sac"]["setting"]["batch"] == 8


@pytest.mark.slow
def test_the_queries_of_every_kind_of_prior_are_timed():
    sizes = ("--states", "60", "--state-dim", "5", "--action-dim", "2")
    command = (sys.executable, THROUGHPUT, *sizes, "--blocks", "1", "--seconds", "0")
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    timed = {row["prior"]: row["ms"] for row in map(json.loads, done.stdout.splitlines())}
    assert prior_registry().components.keys() <= timed.keys()
    for name, spent in timed.items():
        asked = {"draw", "density"} if name == "cvae" else {"act", "moments of 64"}
        assert asked <= spent.keys()
        assert ("trust" in spent) == (name not in ("cvae", "constant-variance"))
        assert all(0 < entry["median"] <= entry["p95"] for entry in spent.values())


@pytest.mark.slow
def test_an_alarm_is_judged_and_drawn(tmp_path):
    ShippedConfig(name="pen").load().take(8).save_npz(tmp_path / "fresh.npz")
    found, figure = tmp_path / "pen.json", tmp_path / "pen.png"
    prior = {"steps": 2, "subset_size": 50}
    subprocess.run(
        [
            *(sys.executable, ALARM, "pen", "--every", "10", "--episodes", "2", "--json", found),
            *("--fresh", tmp_path / "fresh.npz", "--halves", "2", "--prior", json.dumps(prior)),
        ],
        check=True,
    )
    row = json.loads(found.read_text())
    assert (row["left_out"]["episodes"], row["fresh"]["episodes"], row["states"]) == (25, 8, 250)
    assert row["halves"]["known"] == 13
    assert len(row["halves"]["steps"]) == 2
    assert all(0 <= share <= 1 for share in row["halves"]["steps"] + row["halves"]["alarmed"])
    least, most = row["fresh"]["alarmed_of_sets"]
    assert 0 < least < 2 / 26 < most < 0.25
    assert len(row["played"]) == 10
    low, high = row["left_out"]["alarmed_interval"]
    assert low <= row["left_out"]["alarmed"] <= high
    subprocess.run([sys.executable, FIGURE, found, "--output", figure], check=True)
    assert figure.stat().st_size > 10_000


@pytest.mark.slow
def test_learning_waits_less_for_a_checkpoint_than_the_disk_takes(tmp_path):
    found = tmp_path / "found.json"
    subprocess.run(
        [
            *(sys.executable, BENCHMARKS / "checkpoints.py", "--transitions", "800"),
            *("--saves", "3", "--folder", tmp_path, "--json", found),
        ],
        check=True,
    )
    row = json.loads(found.read_text())
    assert 0 < row["waited median_s"] < row["on the disk median_s"]
    assert row["transitions"] == 800
    assert list(tmp_path.iterdir()) == [found]


TINY = {
    "environments": ("--only", "pen", "--workers", "1", "--turns", "1", "--steps", "2"),
    "exact_gp_fit": ("--states", "40", "--steps", "2", "--repeats", "1"),
    "exact_gp_large": ("--states", "60", "--config", '{"steps": 2}'),
    "exact_gp_speed": ("--states", "50", "--condition"),
    "prior_cost": (*("--steps", "2"), Path("examples") / "door-nppac.json"),
    "sparse_gp_stream": (
        *("--states", "200", "--episode", "20"),
        *("--config", '{"steps": 2, "start_steps": 2, "inducing_points": 9}'),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_a_benchmark_prints_one_json_object_a_row(name, tmp_path):
    arguments = [*TINY[name]]
    if name == "prior_cost":
        prior = GaussianMLPConfig(steps=2)
        door = ShippedConfig(name="door").load()
        prior.fit(door.states, door.actions).save(tmp_path / "prior.safetensors")
        arguments += ["--prior", tmp_path / "prior.safetensors"]
    lines = subprocess.run(
        [sys.executable, BENCHMARKS / f"{name}.py", *arguments],
        check=True,
        capture_output=True,
        cwd=BENCHMARKS.parent,
        text=True,
    ).stdout.splitlines()
    assert lines
    for row in map(json.loads, lines):
        assert len(row) >= 3
        assert all(row[key] >= 0 for key in row if key.endswith(("_s", "_ms")) and "and" not in key)


@pytest.mark.slow
def test_growth_of_an_update_is_told_setting_by_setting():
    command = (sys.executable, BENCHMARKS / "update_growth.py", "--tiny", "--only", "critics")
    counted = ("--blocks", "1", "--updates", "1")
    done = subprocess.run([*command, *counted], check=True, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["critics"] for row in rows] == [2, 5, 10]
    assert all(row["ms"] > 0 and row["over_base"] > 0 for row in rows)


@pytest.mark.slow
def test_growth_of_priors_is_told_kind_by_kind_and_size_by_size():
    command = (sys.executable, BENCHMARKS / "prior_growth.py", "--states", "60", "120")
    few = ("--config", '{"steps": 2}', "--only", "exact-gp", "cvae")
    done = subprocess.run([*command, *few], check=True, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    told = [(row["prior"], row["states"]) for row in rows]
    assert told == [("exact-gp", 60), ("exact-gp", 120), ("cvae", 60), ("cvae", 120)]
    assert all(min(row["fit_s"], row["query_ms"], row["peak_gib"]) > 0 for row in rows)
