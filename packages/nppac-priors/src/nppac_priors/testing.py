"""Conformance tests that any prior's test module calls in three lines; needs pytest.

    from nppac_priors.testing import PriorConformance

    class TestMyPrior(PriorConformance):
        config = MyConfig(width=8)

Each test is one rule of the contract (`Prior`, `PriorConfig`). The config should fit 600 states of
4 dimensions within seconds, and its `kind` has to be registered. The actions are a smooth function
of the state plus Gaussian noise of a known standard deviation, `NOISE_STD`; a prior whose standard
deviation is not learned is to be configured with that value.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from nppac_priors.config import PriorConfig
from nppac_priors.conformance_data import (
    ACTION_DIM,
    FAULTS,
    NOISE_STD,
    STATE_DIM,
    Demonstrations,
    demonstrations,
)
from nppac_priors.errors import DataError, DeviceError, NppacError, PriorFileError
from nppac_priors.loading import load_prior
from nppac_priors.prior import GaussianPrior, Prior
from nppac_priors.registry import prior_registry


class Refit(NamedTuple):
    """A second fit.

    Attributes:
        prior: The result.
        moved: Names of the global random generators that it used.
    """

    prior: Prior
    moved: list[str]


class PriorConformance:
    """Base class of conformance tests; a subclass sets `config`.

    Attributes:
        config: What to test, made cheap enough to be fitted a few times.
    """

    config: ClassVar[PriorConfig]

    @pytest.fixture(scope="class")
    @classmethod
    def prior(cls) -> Prior:
        """One fit, shared by the tests."""
        return cls._fit(demonstrations())

    @pytest.fixture(scope="class")
    @classmethod
    def refit(cls) -> Refit:
        """The same fit once more, to arrays that are overwritten afterwards."""
        torch.manual_seed(1)
        before = _global_random_states()
        arrays = demonstrations()
        prior = cls._fit(arrays)
        prior(arrays.states)
        moved = [name for name, now in _global_random_states().items() if now != before[name]]
        arrays.states.zero_()
        arrays.actions.zero_()
        return Refit(prior, moved)

    @classmethod
    def _fit(cls, arrays: Demonstrations, device: str = "cpu") -> Prior:
        return cls.config.fit(
            arrays.states,
            arrays.actions,
            episode_lengths=arrays.episode_lengths,
            device=device,
            generator=torch.Generator().manual_seed(0),
        )

    def test_the_config_is_registered_and_survives_json(self) -> None:
        """A file holds all of it, under its kind."""
        data = self.config.model_dump(mode="json")
        assert prior_registry().parse(data) == self.config

    def test_every_field_is_described(self) -> None:
        """Descriptions reach the JSON schema and with it people's editors."""
        fields = type(self.config).model_fields.items()
        missing = [name for name, field in fields if name != "kind" and not field.description]
        assert not missing, f"fields without a description: {missing}"

    def test_shapes(self, prior: Prior) -> None:
        """(B, S) in, a distribution over (B, A) out, for B of one and of several."""
        assert (prior.state_dim, prior.action_dim) == (STATE_DIM, ACTION_DIM)
        for batch in (1, 7):
            distribution = prior(demonstrations().states[:batch])
            assert distribution.batch_shape == (batch,), "one distribution for each state"
            assert distribution.event_shape == (ACTION_DIM,), "events are whole actions"
            actions = _draw(lambda d=distribution: d.sample())
            assert distribution.log_prob(actions).shape == (batch,)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("shape", [(), (6,), (2, 3)])
    def test_one_state_a_batch_and_a_block_are_answered_in_both_precisions(
        self, prior: Prior, shape: tuple[int, ...], dtype: torch.dtype
    ) -> None:
        """(S,), (B, S) and (T, B, S) in float32 and float64: the same numbers in that shape."""
        rows = demonstrations().states[: math.prod(shape)]
        states = rows.reshape(*shape, STATE_DIM)
        block, each = prior(states, dtype=dtype), prior(rows, dtype=dtype)
        assert (block.batch_shape, block.event_shape) == (shape, (ACTION_DIM,))
        draws = [_draw(lambda d=d: d.sample(torch.Size((5,)))) for d in (block, each)]
        densities = [block.log_prob(draws[0]), each.log_prob(draws[1])]
        answers = [(draws, (5, *shape, ACTION_DIM)), (densities, (5, *shape))]
        if isinstance(prior, GaussianPrior):
            asked = [
                (*prior.moments(s, dtype=dtype), prior.mean(s, dtype=dtype)) for s in (states, rows)
            ]
            answers += [(pair, (*shape, ACTION_DIM)) for pair in zip(*asked, strict=True)]
        for (answer, expected), answer_shape in answers:
            assert answer.dtype == expected.dtype == dtype
            assert answer.shape == answer_shape
            assert torch.equal(answer.reshape(expected.shape), expected)
        in_float32 = prior(rows).log_prob(draws[1].float())
        torch.testing.assert_close(densities[1].float(), in_float32, rtol=1e-3, atol=1e-3)

    def test_the_gradient_in_float64_is_that_of_finite_differences(self, prior: Prior) -> None:
        """Of the log-density, which float32 anywhere on its way would be too coarse for."""
        states, actions, _ = demonstrations()
        density = prior(states[:3], dtype=torch.float64).log_prob
        assert torch.autograd.gradcheck(density, actions[:3].double().requires_grad_())

    def test_a_gaussian_prior_returns_its_moments(self, prior: Prior) -> None:
        """`moments` and `mean` agree with the distribution; all are float32."""
        if not isinstance(prior, GaussianPrior):
            pytest.skip("not a GaussianPrior")
        states = demonstrations().states[:7]
        mean, std = prior.moments(states)
        distribution = prior(states)
        assert mean.dtype == std.dtype == prior.mean(states).dtype == torch.float32
        torch.testing.assert_close(distribution.mean, mean)
        torch.testing.assert_close(distribution.stddev, std)
        torch.testing.assert_close(prior.mean(states), mean, rtol=1e-4, atol=1e-5)

    def test_a_gaussian_priors_tensors_are_its_moments(self, prior: Prior) -> None:
        """`tensors` gives the same numbers, with a finite gradient to each state by itself."""
        if not isinstance(prior, GaussianPrior):
            pytest.skip("not a GaussianPrior")
        states = demonstrations().states[:7]
        found = prior.tensors(states)
        for ours, checked in zip(found, prior.moments(states), strict=True):
            torch.testing.assert_close(ours, checked, rtol=1e-4, atol=1e-5)
        between = (0.5 * (states[:3] + states[3:6])).requires_grad_()
        mean, std = prior.tensors(between)
        answer = mean[0].sum() + std[0].sum()  # one of them may be constant piece by piece
        assert answer.requires_grad, "no gradient from mean or std to the states: it was cut"
        (slope,) = torch.autograd.grad(answer, between)
        assert torch.isfinite(slope).all()
        assert (slope[0] != 0).any(), "neither depends on its state"
        assert (slope[1:] == 0).all(), "an answer depends on the other states"

    def test_every_finite_state_has_a_finite_answer(self, prior: Prior) -> None:
        """However far from the demonstrations."""
        sizes = torch.tensor([0.0, 1.0, 1e3, 1e6, 1e30, 3e38])[:, None]
        signs = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 0.0, 1.0], [-1.0, -1.0, 1.0, 0.0]])
        states = (sizes[:, None] * signs).reshape(-1, STATE_DIM)
        distribution = prior(states)
        assert torch.isfinite(_draw(lambda: distribution.sample())).all()
        if isinstance(prior, GaussianPrior):
            mean, std = prior.moments(states)
            assert torch.isfinite(mean).all()
            assert torch.isfinite(std).all()
            assert (std > 0).all()

    def test_a_state_has_one_answer(self, prior: Prior) -> None:
        """Asked twice, alone, in another order, as NumPy array or as float64: the same."""
        states = demonstrations().states[:9]
        expected = _answer(prior, states)
        assert torch.equal(_answer(prior, states), expected), "two equal queries differ"
        for others in (states.flip(0), states.double().flip(0), states.flip(0).numpy()):
            _assert_close(_answer(prior, others).flip(0), expected)
        alone = torch.cat([_answer(prior, state[None]) for state in states])
        _assert_close(alone, expected)

    def test_the_generator_decides_the_fit(self, prior: Prior, refit: Refit) -> None:
        """Equal generators give equal priors, wherever the global ones are at.

        The prior keeps copies, too: what it was fitted to has been overwritten here.
        """
        states = demonstrations().states[:50]
        _assert_close(_answer(refit.prior, states), _answer(prior, states))
        assert refit.prior.data_hash == prior.data_hash

    def test_global_generators_are_left_alone(self, refit: Refit) -> None:
        """Neither a fit nor a query moves them."""
        assert not refit.moved, f"global generators that were used: {refit.moved}"

    def test_a_saved_prior_is_restored(self, prior: Prior, tmp_path: Path) -> None:
        """To rounding, with config and data hash, with and without recomputable factors."""
        states = torch.cat((demonstrations().states[:50], 5.0 * demonstrations().states[:50]))
        for include_factors in (False, True):
            path = tmp_path / f"{include_factors}.safetensors"
            prior.save(path, include_factors=include_factors)
            restored = load_prior(path)
            expected = _answer(prior, states)
            _assert_close(_answer(restored, states), expected)
            assert restored.config == prior.config
            assert restored.data_hash == prior.data_hash != ""

    def test_its_tensors_lie_as_a_file_keeps_them(self, prior: Prior) -> None:
        """Row by row: a sum over columns rounds otherwise, and a prior read back differs."""
        state = prior.state(include_factors=True)
        scattered = [name for name, tensor in state.items() if not tensor.is_contiguous()]
        assert not scattered, f"tensors to keep as tensor.contiguous(): {scattered}"

    def test_a_truncated_file_is_a_typed_error(self, prior: Prior, tmp_path: Path) -> None:
        """And says so in one line."""
        prior.save(tmp_path / "whole.safetensors")
        whole = (tmp_path / "whole.safetensors").read_bytes()
        (tmp_path / "half.safetensors").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(PriorFileError) as error:
            load_prior(tmp_path / "half.safetensors")
        assert "\n" not in str(error.value)

    def test_it_moves_between_devices(self, prior: Prior) -> None:
        """`to` gives an equal prior there, a fit can happen there, and both come back."""
        states = demonstrations().states[:50]
        expected = _answer(prior, states)
        moved = prior.to("cpu")
        assert torch.equal(_answer(moved, states), expected)
        assert moved.data_hash == prior.data_hash
        if torch.cuda.is_available():
            on_gpu = prior.to("cuda")
            assert on_gpu.device.type == self._fit(demonstrations(), "cuda").device.type == "cuda"
            there, here = (_undrawn(one, states).cpu() for one in (on_gpu, prior))
            torch.testing.assert_close(there, here, rtol=0, atol=1e-3)
            assert on_gpu.to("cpu").device.type == "cpu"

    def test_an_unusable_device_is_a_typed_error(self, prior: Prior, tmp_path: Path) -> None:
        """For a fit, a move and a file."""
        prior.save(tmp_path / "prior.safetensors")
        for device in ("no-such-device", f"cuda:{torch.cuda.device_count()}"):
            with pytest.raises(DeviceError):
                self._fit(demonstrations(), device)
            with pytest.raises(DeviceError):
                prior.to(device)
            with pytest.raises(DeviceError):
                load_prior(tmp_path / "prior.safetensors", device=device)

    def test_the_gradient_goes_to_the_actions(self, prior: Prior) -> None:
        """As an agent needs it: d log p / d a, finite and not zero."""
        states, actions, _ = demonstrations()
        actions = actions[:20].clone().requires_grad_()
        prior(states[:20]).log_prob(actions).sum().backward()
        assert actions.grad is not None
        assert torch.isfinite(actions.grad).all()
        assert (actions.grad != 0).any()

    def test_no_gradient_goes_into_the_prior(self, prior: Prior) -> None:
        """It is frozen: no tensor of it, and nothing that it returns, asks for a gradient."""
        asking = [name for name, tensor in prior.state().items() if tensor.requires_grad]
        assert not asking, f"tensors that require a gradient: {asking}"
        states = demonstrations().states[:5].clone().requires_grad_()
        assert not _answer(prior, states).requires_grad
        assert not prior(states).log_prob(torch.zeros(5, ACTION_DIM)).requires_grad
        assert not isinstance(prior, torch.nn.Module), "a policy must not own or train a prior"

    def test_std_is_the_standard_deviation_of_actions(self, prior: Prior) -> None:
        """Noise of 0.3 in the data is 0.3 in the prior: no variance (0.09), no mean's std (0)."""
        distribution = prior(demonstrations().states)
        draws = _draw(lambda: distribution.sample(torch.Size((200,))))
        std = draws.var(dim=0).mean(dim=0).sqrt()
        low, high = 0.8 * NOISE_STD, 1.25 * NOISE_STD
        assert ((std > low) & (std < high)).all(), (
            f"std on the data is {std.tolist()}, the noise in them has {NOISE_STD}"
        )

    def test_its_density_integrates_to_one(self, prior: Prior) -> None:
        """Over actions of -3 to 3, at some states; an estimate may lack a tenth."""
        axis = torch.arange(-3.0, 3.05, 0.1)
        grid = torch.cartesian_prod(*[axis] * ACTION_DIM)[:, None].expand(-1, 3, -1)
        density = prior(demonstrations().states[:3]).log_prob(grid).exp()
        mass = 0.1**ACTION_DIM * density.sum(0)
        exact = isinstance(prior, GaussianPrior)
        low, high = (0.99, 1.01) if exact else (0.9, 1.05)
        assert ((mass > low) & (mass < high)).all(), f"the density integrates to {mass.tolist()}"

    @pytest.mark.parametrize("fault", list(FAULTS))
    def test_unusable_data_are_refused(self, fault: str) -> None:
        """With `DataError`, in one line."""
        states, actions, lengths = demonstrations()
        states, actions = FAULTS[fault](states, actions)
        with pytest.raises(DataError) as error:
            self.config.fit(states, actions, episode_lengths=lengths)
        assert "\n" not in str(error.value)

    def test_one_demonstration_state_is_enough_or_refused(self) -> None:
        """Either a prior with finite answers, or an error of this package."""
        states, actions, _ = demonstrations()
        try:
            prior = self.config.fit(states[:1], actions[:1])
        except NppacError:
            return
        assert torch.isfinite(_answer(prior, states[:9])).all()

    def test_unusable_queries_are_refused(self, prior: Prior) -> None:
        """Wrong width, NaN, infinity: `DataError`."""
        states = demonstrations().states[:3]
        for query in (
            states[:, :-1],
            states[0, 1:],
            states / 0.0,
            torch.full_like(states, math.nan),
        ):
            with pytest.raises(DataError):
                prior(query)


def _assert_close(actual: Tensor, expected: Tensor) -> None:
    """Equal but for rounding in float32."""
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


def _answer(prior: Prior, states: Tensor | np.ndarray) -> Tensor:
    """What a prior says of states, as numbers; of one that is not Gaussian draws with a fixed seed.

    Each state is asked about for itself there, since draws depend on what was drawn before.
    """
    if isinstance(prior, GaussianPrior):
        return _undrawn(prior, states)
    draws = torch.cat([_draw(lambda s=state: prior(s[None]).sample()) for state in states])
    return torch.cat([draws, _undrawn(prior, states)], dim=1)


def _undrawn(prior: Prior, states: Tensor | np.ndarray) -> Tensor:
    """The numbers that are the same on every device: moments, or the log-density of one action."""
    if isinstance(prior, GaussianPrior):
        return torch.cat(prior.moments(states), dim=1)
    action = torch.full((len(states), ACTION_DIM), 0.1, device=prior.device)
    return prior(states).log_prob(action)[:, None]


def _draw(sample: Callable[[], Tensor]) -> Tensor:
    """A draw from the global generators, which are seeded for it and put back."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return sample()


def _global_random_states() -> dict[str, object]:
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": np.random.get_state(legacy=False)["state"]["key"].tolist(),  # noqa: NPY002
        "random": random.getstate(),
    }
