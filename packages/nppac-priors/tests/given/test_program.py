"""A clone that was trained without this project becomes a prior, and its file runs nothing."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nppac_priors import ConstantVarianceConfig, ProgramPriorConfig, load_prior
from nppac_priors.conformance_data import demonstrations
from nppac_priors.errors import ConfigError, PriorFileError
from nppac_priors.testing import NOISE_STD, PriorConformance
from torch import nn

pytestmark = pytest.mark.medium

RNG = np.random.default_rng(0)
STATES, ACTIONS = RNG.normal(size=(20, 4)), RNG.uniform(-1, 1, (20, 2))


class Clone(nn.Module):
    """A policy as people write them: standardised states, layer norm, a head that is cut in two."""

    def __init__(self, with_std: bool = True, state_dim: int = 4, action_dim: int = 2) -> None:
        super().__init__()
        self.register_buffer("shift", torch.full((state_dim,), 0.1))
        self.body = nn.Sequential(nn.Linear(state_dim, 32), nn.LayerNorm(32), nn.GELU())
        self.head = nn.Linear(32, 2 * action_dim)
        self.with_std = with_std

    def forward(self, states: torch.Tensor) -> Any:
        mean, log_std = self.head(self.body((states - self.shift) / 2.0)).chunk(2, -1)
        mean = torch.tanh(mean)
        return (mean, log_std.clamp(-5, 2).exp() + 1e-3) if self.with_std else mean


def export(policy: nn.Module, path: Path, batch: bool = True, state_dim: int = 4) -> Path:
    shapes = ({0: torch.export.Dim("batch")},) if batch else None
    program = torch.export.export(policy, (torch.zeros(2, state_dim),), dynamic_shapes=shapes)
    torch.export.save(program, path)
    return path


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained by its own few lines on the conformance kit's demonstrations."""
    data = demonstrations()
    states, actions = (torch.as_tensor(np.asarray(of), dtype=torch.float32) for of in data[:2])
    torch.manual_seed(0)
    policy = Clone(state_dim=states.shape[1], action_dim=actions.shape[1])
    optimizer = torch.optim.Adam(policy.parameters(), 1e-2)
    for _ in range(300):
        mean, std = policy(states)
        loss = -torch.distributions.Normal(mean, std).log_prob(actions).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    folder = tmp_path_factory.mktemp("clone")
    return export(policy.eval(), folder / "policy.pt2", state_dim=states.shape[1])


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(Clone().eval(), tmp_path_factory.mktemp("untrained") / "p.pt2")


@pytest.fixture(scope="class", autouse=True)
def _path(request: pytest.FixtureRequest) -> None:
    if request.cls is not None:
        path = str(request.getfixturevalue("clone"))
        request.cls.config = request.cls.made(path)


class TestProgram(PriorConformance):
    @staticmethod
    def made(path: str) -> Any:
        return ProgramPriorConfig(path=path)


class TestMeanOfAProgram(PriorConformance):
    @staticmethod
    def made(path: str) -> Any:
        return ConstantVarianceConfig(prior=ProgramPriorConfig(path=path), std=NOISE_STD)


def test_it_computes_what_the_policy_does(tmp_path: Path):
    policy = Clone().eval()
    prior = ProgramPriorConfig(path=str(export(policy, tmp_path / "p.pt2"))).fit(STATES, ACTIONS)
    expected = policy(torch.tensor(STATES, dtype=torch.float32))
    for ours, theirs in zip(prior.moments(STATES), expected, strict=True):
        torch.testing.assert_close(ours, theirs.detach())
    prior.save(tmp_path / "saved.safetensors")
    (tmp_path / "p.pt2").unlink()
    again = load_prior(tmp_path / "saved.safetensors")
    assert torch.equal(again.moments(STATES)[0], prior.moments(STATES)[0])


def test_a_mean_alone_needs_a_std(untrained: Path, tmp_path: Path):
    path = str(export(Clone(with_std=False).eval(), tmp_path / "mean.pt2"))
    with pytest.raises(ConfigError, match="returns a mean alone; give std"):
        ProgramPriorConfig(path=path).fit(STATES, ACTIONS)
    prior = ProgramPriorConfig(path=path, std=0.2).fit(STATES, ACTIONS)
    assert prior.moments(STATES)[1].unique().tolist() == pytest.approx([0.2])
    path = str(untrained)
    with pytest.raises(ConfigError, match="leave out std"):
        ProgramPriorConfig(path=path, std=0.2).fit(STATES, ACTIONS)


def test_other_dimensions_and_a_fixed_batch_are_refused(untrained: Path, tmp_path: Path):
    path = str(untrained)
    with pytest.raises(ConfigError, match=r"cannot take states \(1, 3\)"):
        ProgramPriorConfig(path=path).fit(STATES[:, :3], ACTIONS)
    with pytest.raises(ConfigError, match=r"has to return \(1, 1\)"):
        ProgramPriorConfig(path=path).fit(STATES, ACTIONS[:, :1])

    class Fixed(nn.Module):
        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return states.reshape(4, 2).reshape(2, 4)[:, :2]

    path = str(export(Fixed(), tmp_path / "fixed.pt2", batch=False))
    with pytest.raises(ConfigError, match="with a dynamic batch"):
        ProgramPriorConfig(path=path, std=0.1).fit(STATES, ACTIONS)


class Runs:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def changed(path: Path, folder: Path, change: Any) -> Path:
    """A copy of an archive; `change` gets each member's name and content."""
    other = folder / "changed.pt2"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for info in source.infolist():
            target.writestr(info, change(info.filename, source.read(info)))
    return other


def test_pickles_in_the_archive_are_not_opened(untrained: Path, tmp_path: Path):
    path = untrained
    mark = tmp_path / "ran"

    def hostile(name: str, content: bytes) -> bytes:
        return pickle.dumps(Runs(mark)) if "sample_inputs" in name else content

    path = changed(path, tmp_path, hostile)
    assert ProgramPriorConfig(path=str(path)).fit(STATES, ACTIONS).state_dim == 4
    assert not mark.exists()


def test_pickled_weights_are_refused(untrained: Path, tmp_path: Path):
    path = untrained

    def hostile(name: str, content: bytes) -> bytes:
        return content.replace(b'"use_pickle": false', b'"use_pickle": true')

    with pytest.raises(PriorFileError, match="is pickled, and pickles are not read"):
        ProgramPriorConfig(path=str(changed(path, tmp_path, hostile))).fit(STATES, ACTIONS)


@pytest.mark.parametrize(
    "target",
    [
        "torch.os.system",
        "torch.ops.aten.from_file.default",
        "_operator.attrgetter",
        "math.factorial",
        "torch.ops.aten.linear.default.__call__",
        "torch.load",
    ],
)
def test_functions_that_are_not_in_the_list_are_refused(
    untrained: Path, tmp_path: Path, target: str
):
    path = untrained

    def hostile(name: str, content: bytes) -> bytes:
        return content.replace(b"torch.ops.aten.tanh.default", target.encode())

    with pytest.raises(PriorFileError, match="which is not in the list"):
        ProgramPriorConfig(path=str(changed(path, tmp_path, hostile))).fit(STATES, ACTIONS)


def test_few_bytes_do_not_become_many_numbers(untrained: Path, tmp_path: Path):
    path = untrained

    def hostile(name: str, content: bytes) -> bytes:
        if not name.endswith("weights_config.json"):
            return content
        config = json.loads(content)
        meta = config["config"]["shift"]["tensor_meta"]
        meta["sizes"], meta["strides"] = [{"as_int": 10**12}], [{"as_int": 0}]
        return json.dumps(config).encode()

    with pytest.raises(PriorFileError, match="shift declares more numbers than are there"):
        ProgramPriorConfig(path=str(changed(path, tmp_path, hostile))).fit(STATES, ACTIONS)


def test_a_member_that_unfolds_to_far_more_than_it_takes_is_not_read(
    untrained: Path, tmp_path: Path
):
    """Spaces compress a thousandfold, and JSON may end in any number of them."""
    for member in ("models/model.json", "weights_config.json", "constants_config.json"):
        bomb = tmp_path / "bomb.pt2"
        with zipfile.ZipFile(untrained) as source, zipfile.ZipFile(bomb, "w") as target:
            for info in source.infolist():
                content = source.read(info)
                if info.filename.endswith(member):
                    info.compress_type = zipfile.ZIP_DEFLATED
                    content += b" " * (17 * 2**20)
                target.writestr(info, content)
        assert bomb.stat().st_size < 2**20
        with pytest.raises(PriorFileError, match=f"{member} unfolds to more than 16 MiB"):
            ProgramPriorConfig(path=str(bomb)).fit(STATES, ACTIONS)


@pytest.mark.parametrize(
    "members",
    [
        ["p/models/model.json", "p/data/weights/model.pt"],
        ["version", "serialized_exported_program.json", "serialized_state_dict.pt"],
    ],
)
def test_what_an_older_pytorch_saved_is_refused(tmp_path: Path, members: list[str]):
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        for member in members:
            archive.writestr(member, "{}")
    with pytest.raises(PriorFileError, match=r"no program as PyTorch 2\.9 and later save it"):
        ProgramPriorConfig(path=str(tmp_path / "old.pt2")).fit(STATES, ACTIONS)


def test_other_files_are_one_line(tmp_path: Path):
    with pytest.raises(PriorFileError, match="no such file"):
        ProgramPriorConfig(path=str(tmp_path / "none.pt2")).fit(STATES, ACTIONS)
    os.mkfifo(tmp_path / "pipe.pt2")
    with pytest.raises(PriorFileError, match="is no regular file"):
        ProgramPriorConfig(path=str(tmp_path / "pipe.pt2")).fit(STATES, ACTIONS)
    (tmp_path / "a.pt2").write_bytes(b"PK")
    with pytest.raises(PriorFileError, match=r"is no archive of torch\.export\.save") as caught:
        ProgramPriorConfig(path=str(tmp_path / "a.pt2")).fit(STATES, ACTIONS)
    assert "\n" not in str(caught.value)
