"""What a fitted behavioural prior is.

`Prior` maps states to a distribution over actions. `GaussianPrior` is the common case, with a mean
and a standard deviation for each action dimension. Both are plain frozen objects, no submodules of
a policy: they check what comes in, and no gradient flows through them. A Gaussian prior has a
second door, `tensors`: the same as a pure function of tensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from torch.distributions import Distribution, Independent, Normal

from nppac_priors.data import finite_matrix
from nppac_priors.demonstrated import Demonstrated
from nppac_priors.device import usable_device
from nppac_priors.errors import ConfigError, ContractError, DataError, NppacError, NumericalError
from nppac_priors.plugin_origin import broken_contract, described
from nppac_priors.reshaped import Reshaped

if TYPE_CHECKING:
    import numpy as np

    from nppac_priors.config import PriorConfig
    from nppac_priors.progress import ProgressCallback


class Prior(ABC):
    """A fitted, frozen distribution over actions given states.

    Attributes:
        config: The configuration that fitted it.
        state_dim: How many dimensions a state has, S.
        action_dim: How many an action has, A.
        data_hash: SHA-256 (hex) of the states and actions it was fitted to, as `hash_data` gives.
    """

    def __init__(
        self, config: PriorConfig, *, state_dim: int, action_dim: int, data_hash: str = ""
    ) -> None:
        """Keep what every prior knows; `load_prior` restores `data_hash` from the file."""
        self.config = config
        self.state_dim = state_dim
        self.action_dim = action_dim
        self.data_hash = data_hash

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the prior's tensors and its results live."""

    @abstractmethod
    def state(self, *, include_factors: bool = False) -> dict[str, torch.Tensor]:
        """The tensors that `config.from_state` rebuilds the prior from.

        Args:
            include_factors: Also large factors that could be recomputed, for a faster reload.
        """

    def extended(
        self, states: torch.Tensor | np.ndarray, actions: torch.Tensor | np.ndarray
    ) -> Self:
        """The same prior, conditioned on further demonstrations without a new fit.

        Args:
            states: (M, S).
            actions: (M, A), in [-1, 1].

        Raises:
            ConfigError: The kind can only be fitted anew.
            DataError: The arrays are not usable, or are part of what it was fitted to.
        """
        raise ConfigError(
            f"prior {self.config.kind!r} can only be fitted anew; 'exact-gp' can be extended"
        )

    def reuse(self, other: Prior) -> None:  # noqa: B027, most kinds have nothing to take
        """Take from another prior, where it is this one to the bit, what is slow to compute anew.

        Override in kinds that compute after they are loaded; nothing by default.
        """

    def to(self, device: str | torch.device) -> Self:
        """The same prior on a device.

        Raises:
            DeviceError: The device cannot be used.
        """
        return self._to(usable_device(device))

    @abstractmethod
    def _to(self, device: torch.device) -> Self:
        """The same prior on a device that can be used."""

    @abstractmethod
    def _distribution(self, states: torch.Tensor) -> Distribution:
        """The distribution over actions (B, A) for checked states (B, S), in their precision."""

    @torch.no_grad()
    def __call__(
        self, states: torch.Tensor | np.ndarray, *, dtype: torch.dtype = torch.float32
    ) -> Distribution:
        """The distribution over actions (B, A) for states (B, S).

        One state (S,) or a block (T, B, S) is answered in that shape.

        Args:
            states: Finite.
            dtype: In which it is computed: float32 or float64.

        Raises:
            DataError: Wrong shape, NaN or infinity.
            PluginFaultError, ContractError: It is no distribution over actions.
        """
        rows, shape = self._rows(states, dtype)
        distribution = self._distribution(rows)
        expected = (len(rows), self.action_dim)
        if not isinstance(distribution, Distribution):
            raise fault(self, f"its distribution is {described(distribution)}")
        found = (*distribution.batch_shape, *distribution.event_shape)
        if found != expected:
            raise fault(self, f"its distribution has shape {found}, has to have {expected}")
        return distribution if len(shape) == 1 else self._shaped(distribution, shape)

    def save(self, path: str | Path, *, include_factors: bool = False) -> None:
        """Write the prior to one safetensors file, which `load_prior` reads.

        Raises:
            PriorFileError: The file cannot be written.
        """
        from nppac_priors.storage import save_prior

        save_prior(self, path, include_factors=include_factors)

    def __repr__(self) -> str:
        """Kind, dimensions and device."""
        sizes = f"{self.state_dim} -> {self.action_dim}"
        return f"<{type(self).__name__} {self.config.kind!r}: {sizes}, on {self.device}>"

    def _rows(
        self, states: torch.Tensor | np.ndarray, dtype: torch.dtype
    ) -> tuple[torch.Tensor, tuple[int, ...]]:
        """Checked states (n, S), and the shape without S in which they were given."""
        shape = tuple(getattr(states, "shape", ()))
        reshaped = len(shape) != 2 and shape[-1:] == (self.state_dim,)
        rows = states.reshape(-1, self.state_dim) if reshaped else states
        rows = finite_matrix(
            rows, "states", columns=self.state_dim, device=self.device, dtype=dtype
        )
        return rows, shape[:-1] if reshaped else (len(rows),)

    def _shaped(self, distribution: Distribution, shape: tuple[int, ...]) -> Distribution:
        """A distribution over the actions at n states, for these states in another shape."""
        return Reshaped(distribution, shape)


class GaussianPrior(Prior):
    """A prior that is an independent normal distribution in each action dimension."""

    @abstractmethod
    def tensors(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of the actions, each (B, A), as a pure function of tensors.

        Differentiable in the states. Nothing is checked and no value looked at, so that it can be
        part of an update, and be exported, compiled or captured; `moments` is the checked door.

        Args:
            states: (B, S), finite, on the prior's device. Those of float64 are answered in float64,
                from parameters of the precision that they are kept in.
        """

    def _moments(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`tensors` for checked states; override where many at once would not fit into memory."""
        return self.tensors(states)

    def _mean(self, states: torch.Tensor) -> torch.Tensor:
        """Mean (B, A) for checked states (B, S); override where it alone is cheaper."""
        return self._moments(states)[0]

    def _distribution(self, states: torch.Tensor) -> Distribution:
        return _normal(*self._checked_moments(states))

    def _shaped(self, distribution: Distribution, shape: tuple[int, ...]) -> Distribution:
        shape = (*shape, self.action_dim)
        return _normal(distribution.mean.reshape(shape), distribution.stddev.reshape(shape))

    @torch.no_grad()
    def moments(
        self, states: torch.Tensor | np.ndarray, *, dtype: torch.dtype = torch.float32
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of the actions, each (B, A), for states (B, S).

        One state (S,) or a block (T, B, S) is answered in that shape.

        Args:
            states: Finite.
            dtype: Float32, or float64: what `tensors` says then, of all states at once.

        Raises:
            DataError: Wrong shape, NaN or infinity.
            NumericalError: A moment is not finite, or a standard deviation is not positive.
            PluginFaultError, ContractError: They are no two tensors (B, A); a plugin's that are not
                finite, too.
        """
        rows, shape = self._rows(states, dtype)
        mean, std = self._checked_moments(rows)
        return mean.reshape(*shape, self.action_dim), std.reshape(*shape, self.action_dim)

    @torch.no_grad()
    def mean(
        self, states: torch.Tensor | np.ndarray, *, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """Mean of the actions (B, A) for states (B, S); shapes and `dtype` as in `moments`.

        Raises:
            DataError: Wrong shape, NaN or infinity.
            NumericalError: A mean is not finite.
        """
        rows, shape = self._rows(states, dtype)
        found = self._mean(rows) if dtype == torch.float32 else self.tensors(rows)[0]
        mean = action_rows(self, found, "mean", len(rows), dtype)
        self._require(torch.isfinite(mean), "mean is not finite")
        return mean.reshape(*shape, self.action_dim)

    def left_out_std(
        self,
        states: torch.Tensor | np.ndarray,
        actions: torch.Tensor | np.ndarray,
        episode_lengths: torch.Tensor | np.ndarray,
        *,
        progress: ProgressCallback | None = None,
    ) -> torch.Tensor:
        """How sure this prior would be of demonstrated states, had it not seen their episode.

        Gaussian processes keep the hyper-parameters of all episodes and condition on the others,
        other kinds are fitted again, at most ten times, without a tenth of the episodes each.

        Args:
            states: (N, S), that the prior was fitted to.
            actions: (N, A).
            episode_lengths: (E,) that sum to N.
            progress: Called now and then with what has been done.

        Returns:
            Standard deviations (N, A) float32 on the CPU.

        Raises:
            DataError: The prior was fitted to other data.
            ConfigError: There is a single episode.
        """
        from nppac_priors.held_out import checked_lengths
        from nppac_priors.left_out import require_episodes

        checked = finite_matrix(states, "states"), finite_matrix(actions, "actions")
        lengths = checked_lengths(episode_lengths, len(checked[0]))
        require_episodes(lengths)
        seen = Demonstrated(*checked, lengths, progress)
        return self._left_out_std(seen).to("cpu", torch.float32)

    def _left_out_std(self, seen: Demonstrated) -> torch.Tensor:
        """What `left_out_std` gives, of what a fitted prior has `seen`."""
        from nppac_priors.data import hash_data

        if self.data_hash != hash_data(seen.states, seen.actions):
            raise DataError(
                f"prior {self.config.kind!r}: was fitted to other data than these demonstrations, "
                "or to a part of them; what it knows of their episodes cannot be left out"
            )
        return self._without_episodes(seen)

    def _without_episodes(self, seen: Demonstrated) -> torch.Tensor:
        """How sure this kind is without each episode: fitted again, unless there is a way."""
        from nppac_priors.left_out import by_fits

        lengths = seen.episode_lengths
        of_row = torch.arange(len(lengths)).repeat_interleave(lengths)

        def fit(rows: torch.Tensor) -> GaussianPrior:
            lengths = of_row[rows].unique_consecutive(return_counts=True)[1]
            given = seen.states[rows], seen.actions[rows]
            prior = self.config.fit(*given, episode_lengths=lengths, device=self.device)
            assert isinstance(prior, GaussianPrior)
            return prior

        return by_fits(seen.states, seen.episode_lengths, fit, seen.progress)

    def _checked_moments(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        moments = (self._moments if states.dtype == torch.float32 else self.tensors)(states)
        if not isinstance(moments, tuple) or len(moments) != 2:
            raise fault(self, f"moments are {described(moments)}, have to be a pair (mean, std)")
        mean, std = (
            action_rows(self, moment, name, len(states), states.dtype)
            for moment, name in zip(moments, ("mean", "std"), strict=True)
        )
        usable = torch.isfinite(mean) & torch.isfinite(std) & (std > 0)
        self._require(usable, "mean is not finite, or its std not finite and positive")
        return mean, std

    def _require(self, usable: torch.Tensor, problem: str) -> None:
        if not usable.all():
            rows = int((~usable).any(dim=1).sum())
            raise fault(self, f"{problem} for {rows} of {len(usable)} states", NumericalError)


def _normal(mean: torch.Tensor, std: torch.Tensor) -> Distribution:
    """Independent normals of the last dimension."""
    return Independent(Normal(mean, std, validate_args=False), 1, validate_args=False)


def action_rows(
    prior: Prior, values: object, name: str, rows: int, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Values (rows, A) in `dtype`, checked, so that no later arithmetic broadcasts them.

    Raises:
        PluginFaultError, ContractError: They are something else.
    """
    expected = (rows, prior.action_dim)
    if isinstance(values, torch.Tensor):
        fits = values.shape == expected and values.is_floating_point()
        if fits and values.device.type == prior.device.type:
            return values.to(dtype)
    where = f" on {values.device}" if isinstance(values, torch.Tensor) else ""
    raise fault(
        prior,
        f"{name} is {described(values)}{where}, has to be a floating-point tensor of shape "
        f"{expected} on {prior.device}: a row a state, a column an action dimension",
    )


def fault(prior: Prior, problem: str, otherwise: type[NppacError] = ContractError) -> NppacError:
    """The error that says what a prior did wrong, and which plugin's it is."""
    return broken_contract(prior.config, "prior", problem, otherwise=otherwise)
