import pytest
import torch
from nppac_priors import load_policy
from nppac_priors.deployed.actors import actor_of
from nppac_priors.deployed.files import POLICY_FILE, PRIOR_FILE
from nppac_priors.deployed.spec import PolicySpec
from nppac_priors.errors import PolicyFileError
from nppac_priors.tensor_file import read_tensors, write_tensors
from pydantic import ValidationError

pytestmark = pytest.mark.medium


def refused(folder, match):
    with pytest.raises(PolicyFileError, match=match) as error:
        load_policy(folder)
    assert "\n" not in str(error.value)


def test_what_is_missing_is_named(folder, tmp_path):
    refused(tmp_path / "none", "none/policy.safetensors: no such file")
    (tmp_path / "other").mkdir()
    refused(tmp_path / "other", "no exported policy: it holds no policy.safetensors")
    (folder / PRIOR_FILE).unlink()
    refused(folder, "prior.safetensors: no such file")


@pytest.mark.parametrize("name", [POLICY_FILE, PRIOR_FILE])
def test_a_damaged_byte_anywhere_is_noticed(folder, name):
    path = folder / name
    whole = path.read_bytes()
    for place in (20, len(whole) // 2, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        refused(folder, name)
    path.write_bytes(whole[:-5])
    refused(folder, "damaged")


def test_the_prior_of_another_policy_is_refused(folder, gp):
    gp.config.model_copy(update={"steps": 2}).fit(gp.data.states, gp.data.actions).save(
        folder / PRIOR_FILE
    )
    refused(folder, "is another prior than the policy was exported with")


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("", "spec: line 1, column 1: not JSON"),
        ('{"state_dim": 3}', r"spec.action_dim: .*required"),
        ('{"state_dim": 3, "code": "x"}', "unknown field 'code'"),
    ],
)
def test_a_spec_that_does_not_validate_is_a_line(folder, spec, problem):
    tensors, metadata = read_tensors(folder / POLICY_FILE, format="nppac-policy", version="1")
    write_tensors(folder / POLICY_FILE, tensors, metadata | {"spec": spec})
    refused(folder, problem)


def test_another_version_or_another_file_is_refused(folder):
    tensors, metadata = read_tensors(folder / POLICY_FILE, format="nppac-policy", version="1")
    write_tensors(folder / POLICY_FILE, tensors, metadata | {"version": "2"})
    refused(folder, "nppac-policy of version '2', this nppac reads '1'")
    (folder / POLICY_FILE).write_bytes((folder / PRIOR_FILE).read_bytes())
    refused(folder, "not a nppac-policy: format 'nppac-prior'")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"weight_1": None}, "tensor 'weight_1' is missing"),
        ({"bias_1": torch.zeros(3)}, r"'bias_1' is torch.float32 of shape \(3,\), has to hold"),
        ({"shift": torch.full((3,), torch.inf)}, "'shift' is not finite"),
        ({"bias_0": torch.zeros(8, dtype=torch.int64)}, "'bias_0' is torch.int64"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(fields, tensors, change, problem):
    given = {k: v for k, v in {**tensors, **change}.items() if v is not None}
    with pytest.raises(PolicyFileError, match=problem):
        actor_of(fields["actor"], given, 3, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"action_low": (0.0,)},
        {"action_low": None},
        {"action_high": (-2.1, 0.3)},
        {"prior": None},
    ],
)
def test_fields_that_do_not_fit_each_other_are_refused(fields, change):
    whole = fields | {"prior": "x"}
    PolicySpec.model_validate(whole)
    with pytest.raises(ValidationError):
        PolicySpec.model_validate(whole | change)
