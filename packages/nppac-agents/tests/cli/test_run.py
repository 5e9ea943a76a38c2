from __future__ import annotations

import dataclasses
import errno
import json
import os
import platform
import signal
from pathlib import Path

import nppac_envs.errors
import pytest
from nppac_agents.running.interruption import Interrupted
from nppac_agents.running.process import Process
from nppac_envs.errors import FaultyEnvironmentError
from nppac_priors import errors


def test_a_run_gets_config_directory_and_console(nppac_run, runs, config):
    result = nppac_run(config)
    assert (result.code, result.err) == (0, [])
    (call,) = runs
    assert call["config"].agent.kind == "nppac"
    assert call["run_dir"].path == Path("runs/door-seed3")
    assert call["resume"] is False
    assert json.loads(Path("runs/door-seed3/config.json").read_text())["seed"] == 3


def test_options_replace_fields(nppac_run, runs, config):
    argv = ["--set", "agent.alpha=0.5", "--set", "seed=5", config, "--seed", "8"]
    assert nppac_run(*argv, "--device", "cpu", "--output-dir", "12").code == 0
    (call,) = runs
    assert call["config"].model_dump()["agent"]["alpha"] == 0.5
    assert (call["config"].seed, call["config"].device) == (8, "cpu")
    assert call["run_dir"].path == Path("12")


def test_a_directory_is_not_used_twice_unless_to_resume(nppac_run, runs, config):
    assert nppac_run(config).code == 0
    again = nppac_run(config)
    assert again.code == 2
    assert again.err == [
        "error: output_dir: runs/door-seed3 exists; use --resume to continue it, or another "
        "output_dir"
    ]
    assert nppac_run(config, "--resume").code == 0
    assert [call["resume"] for call in runs] == [False, True]


def test_a_dry_run_leaves_nothing(nppac_run, runs, config):
    assert nppac_run(config, "--dry-run").code == 0
    (call,) = runs
    assert call["dry_run"] is True
    assert not call["run_dir"].path.exists()
    assert not Path("runs").exists()


def test_a_dry_run_tells_that_the_directory_is_taken(nppac_run, runs, config):
    nppac_run(config)
    assert nppac_run(config, "--dry-run").code == 2


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (errors.ConfigError("agent: needs a prior"), 2, "agent: needs a prior"),
        (errors.DataError("states: NaN"), 2, "states: NaN"),
        (errors.PriorFileError("x: damaged"), 2, "x: damaged"),
        (nppac_envs.errors.DataError("npz x: no such file"), 2, "npz x: no such file"),
        (nppac_envs.errors.ConfigError("no renderer"), 2, "no renderer"),
        (errors.UnknownKindError("unknown kind"), 2, "unknown kind"),
        (errors.DuplicateKindError("two of a kind"), 3, "two of a kind"),
        (errors.PluginFaultError("plugin acme 1"), 3, "plugin acme 1"),
        (errors.ContractError("prior 'gp': None"), 1, "prior 'gp': None"),
        (FaultyEnvironmentError("reward is nan", "acme 1"), 3, "reward is nan"),
        (FaultyEnvironmentError("reward is nan"), 1, "reward is nan"),
        (SystemExit(0), 1, "unexpected SystemExit: 0; run again with --debug to see more"),
        (errors.NumericalError("actor_loss is nan"), 1, "actor_loss is nan"),
        (errors.NppacError("anything else"), 1, "anything else"),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "metrics.jsonl"),
            1,
            "metrics.jsonl: No space left on device",
        ),
        (
            ValueError("bad\nluck"),
            1,
            "unexpected ValueError: bad; run again with --debug to see more",
        ),
        (AssertionError(), 1, "unexpected AssertionError; run again with --debug to see more"),
        (Interrupted(), 130, "interrupted after a checkpoint; --resume continues from it"),
        (
            KeyboardInterrupt(),
            130,
            "interrupted before there was anything to keep; nothing is left of this run",
        ),
    ],
)
def test_an_error_is_a_line_and_an_exit_code(nppac_run, failing_run, config, error, code, line):
    failing_run(error)
    result = nppac_run(config)
    assert (result.code, result.err) == (code, [f"error: {line}"])


@pytest.mark.parametrize("error", [ValueError("x"), errors.ConfigError("x"), KeyboardInterrupt()])
def test_debug_adds_the_traceback(nppac_run, failing_run, config, error):
    failing_run(error)
    plain, debug = nppac_run(config), nppac_run(config, "--debug")
    assert debug.code == plain.code
    assert debug.err[0] == "Traceback (most recent call last):"
    assert debug.err[-1].startswith("error: ")
    assert "Traceback" not in "".join(plain.err)


def test_a_run_that_never_began_can_be_started_again(nppac_run, failing_run, config):
    failing_run(errors.DataError("no demonstrations"))
    assert [nppac_run(config).code for _ in range(2)] == [2, 2]
    assert not Path("runs/door-seed3").exists()


def test_a_run_that_began_is_kept(nppac_run, failing_run, config):
    failing_run(errors.NumericalError("kl is nan"), after_metrics=True)
    assert nppac_run(config).code == 1
    assert Path("runs/door-seed3/config.json").exists()


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("files", "line"),
    [
        ((), "before there was anything to keep; nothing is left of this run"),
        (("metrics.jsonl",), "before the first checkpoint; --resume starts again"),
        (
            ("metrics.jsonl", "prior.safetensors"),
            "before the first checkpoint; --resume goes on from the fitted prior",
        ),
        (("checkpoints/step-1.safetensors",), "; --resume continues from the last checkpoint"),
    ],
)
def test_a_signal_ends_a_run_with_what_is_kept(nppac_run, signalled_run, config, kind, files, line):
    signalled_run(kind, files)
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    result = nppac_run(config)
    assert result.code == 130
    assert result.err == [f"error: interrupted{line if line[0] == ';' else ' ' + line}"]
    assert Path("runs/door-seed3").exists() == bool(files)
    assert all(Path("runs/door-seed3", name).exists() for name in files)
    assert not Path("runs/door-seed3/run.lock").exists()
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


def test_a_failed_resume_leaves_checkpoints_and_notes(nppac_run, runs, failing_run, config):
    nppac_run(config)
    run = Path("runs/door-seed3")
    kept = {"notes.txt", "checkpoints/step-1.safetensors", "checkpoints/step-2.safetensors"}
    for name in kept:
        (run / name).write_text("x")
    failing_run(errors.ConfigError("device: 'cuda' is not available"))
    result = nppac_run(config, "--resume", "--set", "device=cuda")
    assert (result.code, result.err) == (2, ["error: device: 'cuda' is not available"])
    left = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert left == kept | {"config.json"}
    assert json.loads((run / "config.json").read_text())["device"] == "auto"


@pytest.mark.parametrize("error", [errors.DataError("no demonstrations"), KeyboardInterrupt()])
def test_a_folder_of_the_user_stays(nppac_run, failing_run, config, error):
    run = Path("runs/door-seed3")
    run.mkdir(parents=True)
    failing_run(error)
    nppac_run(config)
    assert list(run.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("before", [None, "empty"])
def test_a_start_on_a_full_disk_is_one_line_and_leaves_nothing(
    nppac_run, runs, config, monkeypatch, before, call
):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = Path("runs/door-seed3")
    if before:
        run.mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        result = nppac_run(config)
    assert result.code == 1
    assert result.err == [f"error: {run}: cannot be written: No space left on device"]
    assert run.exists() == bool(before)
    assert nppac_run(config).code == 0


def test_a_run_that_another_process_owns_is_refused_and_left_alone(nppac_run, runs, config):
    nppac_run(config)
    run = Path("runs/door-seed3")
    (run / "run.lock").write_text(json.dumps(dataclasses.asdict(Process.this())))
    before = sorted(run.rglob("*"))
    for options in ([], ["--resume"], ["--resume", "--take-over"]):
        result = nppac_run(config, *options)
        assert result.code == 1
        (line,) = result.err
        assert f"in use by process {os.getpid()} on {platform.node()}" in line
    assert sorted(run.rglob("*")) == before
    assert len(runs) == 1


def test_a_run_of_a_silent_machine_is_taken_over_on_request(nppac_run, runs, config):
    nppac_run(config)
    lock = Path("runs/door-seed3/run.lock")
    lock.write_text(json.dumps({**dataclasses.asdict(Process.this()), "host": "elsewhere"}))
    assert "on elsewhere, whose last sign of life" in nppac_run(config, "--resume").err[0]
    assert nppac_run(config, "--resume", "--take-over").code == 0
    assert not lock.exists()
    assert len(runs) == 2


def test_a_directory_that_cannot_be_made(nppac_run, runs, config):
    Path("file").write_text("")
    result = nppac_run(config, "--output-dir", "file/run")
    assert result.code == 1
    assert len(result.err) == 1
    assert result.err[0].startswith("error: file/run")
    assert runs == []


@pytest.mark.parametrize(
    ("argv", "mentions"),
    [
        (["missing.json"], "missing.json: no such file"),
        (["door.json", "--set", "agent.alhpa=1"], "unknown field 'alhpa' (did you mean 'alpha'?)"),
        (["door.json", "--set", "agent.alpha"], "has to read path.to.field=value"),
        (["door.json", "--set"], "expected one argument"),
        (["door.json", "--seed", "x"], "--seed: invalid int value: 'x'"),
        (["door.json", "--seed", "-1"], "seed: input should be greater than or equal to 0, got -1"),
        (["door.json", "--device", "tpu"], "invalid choice: 'tpu'"),
        (["door.json", "--sed", "1"], "unrecognized arguments: --sed 1"),
        (["door.json", "other.json"], "unrecognized arguments: other.json"),
        (["--quiet"], "the following arguments are required: CONFIG"),
        (["door.json", "--output-dir", "{x}"], "unknown placeholder '{x}'"),
    ],
)
def test_a_mistake_on_the_command_line(nppac_run, runs, config, argv, mentions):
    result = nppac_run(*argv)
    assert result.code == 2
    (line,) = result.err
    assert line.startswith("error: ")
    assert mentions in line
    assert runs == []


def test_several_problems_are_a_line_each(nppac_run, runs, config):
    result = nppac_run(config, "--set", "agent.alpha=0", "--set", "env.kind=dor")
    assert result.code == 2
    assert len(result.err) == 2
    assert all(line.startswith(f"error: {config} with ") for line in result.err)
