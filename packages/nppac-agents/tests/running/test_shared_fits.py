from __future__ import annotations

import io

import pytest
import torch
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.shared_fits import shared_fit, write_shared
from nppac_priors.tensor_file import checksum, write_tensors

ENVIRONMENT = {
    "demonstrations_hash": "d", "device": "cpu", "packages": {"torch": "2"},
    "plugins": [{"what": "prior", "version": "1"}, {"what": "env", "version": "1"}],
}  # fmt: skip


@pytest.fixture
def config(experiment):
    return ExperimentConfig.model_validate(experiment)


@pytest.fixture
def write():
    """Writes a file of its own each time; `calls` says how often."""
    calls = []

    def fit(path):
        calls.append(path)
        tensors = {"x": torch.tensor([float(len(calls))])}
        write_tensors(path, tensors, {"format": "f", "version": "1"})
        return True

    fit.calls = calls
    return fit


def console():
    return PlainConsole(io.StringIO())


def test_the_first_run_fits_and_the_others_copy(tmp_path, write):
    shared = tmp_path / "fits" / "x.safetensors"
    paths = [tmp_path / name for name in ("a", "b", "c")]
    assert all(write_shared(path, shared, write, console()) for path in paths)
    assert write.calls == [shared]
    assert len({path.read_bytes() for path in [*paths, shared]}) == 1


def test_a_damaged_fit_is_made_again(tmp_path, write):
    shared = tmp_path / "x.safetensors"
    write_shared(tmp_path / "a", shared, write, console())
    shared.write_bytes(shared.read_bytes()[:-1] + b"!")
    write_shared(tmp_path / "b", shared, write, console())
    assert len(write.calls) == 2
    assert checksum(tmp_path / "b") == checksum(shared)


def test_without_a_prior_nothing_is_written(tmp_path):
    shared = tmp_path / "x.safetensors"
    assert not write_shared(tmp_path / "a", shared, lambda path: False, console())
    assert not (tmp_path / "a").exists()


def test_a_fit_is_shared_by_runs_that_differ_in_other_things_alone(tmp_path, config):
    name = shared_fit(tmp_path, config, ENVIRONMENT)
    other = config.model_copy(update={"output_dir": "z", "device": "cpu"})
    plugins = [ENVIRONMENT["plugins"][0], {"what": "env", "version": "2"}]
    assert shared_fit(tmp_path, other, {**ENVIRONMENT, "plugins": plugins, "host": "x"}) == name


def test_a_fit_is_not_shared_where_it_would_be_another(tmp_path, config):
    name = shared_fit(tmp_path, config, ENVIRONMENT)
    others = [
        shared_fit(tmp_path, config.model_copy(update={"seed": 99}), ENVIRONMENT),
        *(
            shared_fit(tmp_path, config, {**ENVIRONMENT, field: value})
            for field, value in (
                ("demonstrations_hash", "e"), ("device", "cuda"), ("packages", {}),
                ("plugins", [{"what": "prior", "version": "2"}]),
            )
        ),
    ]  # fmt: skip
    assert config.prior is not None
    prior = config.prior.model_copy(
        update={next(iter(config.prior.model_fields_set - {"kind"})): 7}
    )
    others.append(shared_fit(tmp_path, config.model_copy(update={"prior": prior}), ENVIRONMENT))
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        others.append(shared_fit(tmp_path, config, ENVIRONMENT))
    finally:
        torch.set_num_threads(threads)
    assert len({name, *others}) == 1 + len(others)


def test_what_a_prior_reads_from_a_file_counts_by_its_content(tmp_path, experiment):
    file = tmp_path / "prior.bin"
    experiment["prior"] = {"kind": "file", "path": str(file)}
    config = ExperimentConfig.model_validate(experiment)
    file.write_bytes(b"one")
    before = shared_fit(tmp_path, config, ENVIRONMENT)
    file.write_bytes(b"two")
    assert shared_fit(tmp_path, config, ENVIRONMENT) != before
