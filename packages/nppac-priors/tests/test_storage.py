from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nppac_priors.errors import PriorFileError, UnknownKindError
from nppac_priors.loading import load_prior
from nppac_priors.registry import Registry
from nppac_priors.storage import save_prior
from nppac_priors.tensor_file import write_tensors
from safetensors import safe_open
from safetensors.torch import save_file

pytestmark = pytest.mark.medium


@pytest.fixture
def saved(tmp_path, linear_prior) -> Path:
    path = tmp_path / "prior.safetensors"
    linear_prior.save(path)
    return path


def rewrite(path: Path, **changes: str | None) -> None:
    """Change entries of the metadata; None removes one."""
    with safe_open(path, framework="pt") as file:
        metadata = {**file.metadata(), **changes}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    write_tensors(path, tensors, {k: v for k, v in metadata.items() if v is not None})


STATES = torch.randn(9, 3, generator=torch.Generator().manual_seed(2))


def test_a_saved_prior_is_rebuilt(saved, linear_prior, linear_registry):
    restored = load_prior(saved, registry=linear_registry)
    assert torch.equal(restored.weight, linear_prior.weight)
    for before, after in zip(linear_prior.moments(STATES), restored.moments(STATES), strict=True):
        torch.testing.assert_close(before, after)
    assert restored.config == linear_prior.config
    assert restored.data_hash == linear_prior.data_hash != ""
    assert (restored.state_dim, restored.action_dim) == (3, 2)


def test_a_file_that_is_read_twice_answers_twice_the_same(saved, linear_registry):
    """To the bit: whatever rounds in a product rounds alike, since the tensors lie alike."""
    one, other = (load_prior(saved, registry=linear_registry) for _ in range(2))
    for first, second in zip(one.moments(STATES), other.moments(STATES), strict=True):
        assert torch.equal(first, second)


def test_tensors_that_lay_column_by_column_come_back_row_by_row(
    tmp_path, linear_prior, linear_registry
):
    linear_prior.weight = linear_prior.weight.T.contiguous().T
    assert not linear_prior.weight.is_contiguous()
    linear_prior.save(tmp_path / "prior")
    restored = load_prior(tmp_path / "prior", registry=linear_registry)
    assert restored.weight.is_contiguous()
    assert torch.equal(restored.weight, linear_prior.weight)


def test_the_file_says_what_it_is(saved, linear_prior):
    with safe_open(saved, framework="pt") as file:
        metadata = file.metadata()
        assert list(file.keys()) == ["weight"]
    assert metadata["format"] == "nppac-prior"
    assert metadata["version"] == "2"
    assert json.loads(metadata["config"]) == {"kind": "linear", "std": 0.25}
    assert metadata["data_hash"] == linear_prior.data_hash


def test_factors_are_stored_on_request(tmp_path, linear_prior):
    save_prior(linear_prior, tmp_path / "large", include_factors=True)
    with safe_open(tmp_path / "large", framework="pt") as file:
        assert set(file.keys()) == {"weight", "gram"}


def test_tensors_that_share_memory_are_stored(tmp_path, linear_prior, linear_registry):
    linear_prior.weight = torch.randn(2, 3).T
    save_prior(linear_prior, tmp_path / "prior")
    restored = load_prior(tmp_path / "prior", registry=linear_registry)
    torch.testing.assert_close(restored.weight, linear_prior.weight)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(PriorFileError, match=r"none\.safetensors: no such file"):
        load_prior(tmp_path / "none.safetensors")


def test_a_folder_is_an_error(tmp_path):
    with pytest.raises(PriorFileError, match="is no regular file"):
        load_prior(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_an_error(saved, linear_registry, share):
    data = saved.read_bytes()
    cut = saved.with_name("cut.safetensors")
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(PriorFileError, match=r"cut\.safetensors") as caught:
        load_prior(cut, registry=linear_registry)
    assert "\n" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(data=st.binary(max_size=200))
def test_a_file_that_is_not_safetensors_is_an_error(tmp_path, data):
    path = tmp_path / "strange"
    path.write_bytes(data)
    with pytest.raises(PriorFileError):
        load_prior(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "not a nppac-prior: format 'other'"),
        ({"format": None}, "not a nppac-prior: format None"),
        ({"version": "3"}, "nppac-prior of version '3', this nppac reads '2'"),
        ({"config": None}, "damaged prior file: no config"),
        ({"data_hash": None}, "damaged prior file: no data_hash"),
        ({"config": "{"}, "config: line 1, column 2: not JSON"),
        ({"config": '{"kind": "linear", "std": 1e400}'}, "config: std: 1e400 is beyond"),
        ({"config": '{"kind": "linear", "std": -1}'}, "config.std: input should be greater than 0"),
        ({"config": "[]"}, "config: has to be an object with a string 'kind'"),
    ],
)
def test_wrong_metadata_is_an_error(saved, linear_registry, changes, message):
    rewrite(saved, **changes)
    with pytest.raises(PriorFileError, match=message) as caught:
        load_prior(saved, registry=linear_registry)
    assert str(saved) in str(caught.value)


def test_a_safetensors_file_of_something_else_is_an_error(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(PriorFileError, match="not a nppac-prior"):
        load_prior(tmp_path / "model.safetensors")


def test_a_kind_that_is_not_installed_is_an_error(saved, linear_prior):
    empty = Registry("prior", type(linear_prior.config), [])
    with pytest.raises(UnknownKindError, match="unknown prior kind 'linear'"):
        load_prior(saved, registry=empty)


def test_missing_tensors_are_an_error(saved, linear_registry):
    with safe_open(saved, framework="pt") as file:
        metadata = file.metadata()
    write_tensors(saved, {"other": torch.zeros(1)}, metadata)
    with pytest.raises(PriorFileError, match="cannot be rebuilt: KeyError: 'weight'"):
        load_prior(saved, registry=linear_registry)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_an_error(saved, linear_registry, value):
    with safe_open(saved, framework="pt") as file:
        metadata, weight = file.metadata(), file.get_tensor("weight")
    weight[0, 0] = value
    write_tensors(saved, {"weight": weight}, metadata)
    with pytest.raises(PriorFileError, match="damaged prior file: 'weight' is not finite"):
        load_prior(saved, registry=linear_registry)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "U64", "BOOL", "C64", "F4", "X9"])
def test_a_tensor_of_another_type_is_one_line(saved, linear_registry, dtype):
    raw = saved.read_bytes()
    saved.write_bytes(raw.replace(b'"F32"', f'"{dtype}"'.encode().ljust(5)))
    with pytest.raises(PriorFileError) as caught:
        load_prior(saved, registry=linear_registry)
    assert "\n" not in str(caught.value)


def test_a_missing_relative_file_tells_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PriorFileError, match=f"none: no such file in {tmp_path}"):
        load_prior("none")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    saved, linear_prior, monkeypatch, step
):
    before = saved.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full_disk)
    with pytest.raises(PriorFileError, match="No space left"):
        linear_prior.save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


@pytest.mark.slow
def test_the_same_fit_has_the_same_bytes_in_every_process(tmp_path):
    """Hash seeds order sets and dicts of other libraries differently."""
    code = (
        "import sys, torch\n"
        "from nppac_priors import ExactGPConfig\n"
        "states = torch.linspace(-1, 1, 30).reshape(10, 3)\n"
        "generator = torch.Generator().manual_seed(0)\n"
        "prior = ExactGPConfig(steps=2).fit(states, states[:, :2], generator=generator)\n"
        "prior.save(sys.argv[1])\n"
    )
    paths = [tmp_path / name for name in ("one", "two")]
    for seed, path in zip(("1", "2"), paths, strict=True):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_missing_folder_is_an_error(tmp_path, linear_prior):
    with pytest.raises(PriorFileError, match="cannot write the prior"):
        linear_prior.save(tmp_path / "none" / "prior.safetensors")
