"""The prior that an exported program is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from nppac_priors.errors import ConfigError, PriorFileError
from nppac_priors.given.program_graph import check_operators, compute
from nppac_priors.prior import GaussianPrior

if TYPE_CHECKING:
    from nppac_priors.given.program import ProgramPriorConfig

_LARGEST = 1e12
"""States beyond are moved here, so that a program's own squares and sums stay finite in float32."""
_PROGRAM, _SIZES, _WEIGHTS = "program", "sizes", "weights/"


class ProgramPrior(GaussianPrior):
    """Mean and standard deviation as a program gives them, or a mean with `config.std`."""

    config: ProgramPriorConfig

    def __init__(
        self,
        config: ProgramPriorConfig,
        program: dict[str, Any],
        tensors: dict[str, Tensor],
        state_dim: int,
        action_dim: int,
    ) -> None:
        """Keep a program whose operators were checked, and its tensors."""
        super().__init__(config, state_dim=state_dim, action_dim=action_dim)
        self._program, self._tensors = program, tensors
        sample = next(iter(tensors.values()), torch.empty(0))
        self._device = sample.device
        floats = [tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()]
        self._dtype = floats[0] if floats else torch.float32

    @property
    def returns_std(self) -> bool:
        """Whether the program returns a standard deviation too."""
        return len(self._program["outputs"]) == 2

    @property
    def device(self) -> torch.device:
        """Where the program computes."""
        return self._device

    def try_out(self, states: Tensor) -> None:
        """Compute the program for one state and for several.

        Raises:
            ConfigError: It does not take them, or returns something else.
        """
        for rows in {1, min(3, len(states))}:
            where = f"prior: {self.config.path}"
            try:
                results = compute(self._program, self._tensors, states[:rows].to(self._dtype))
            except PriorFileError:
                raise
            except Exception as error:
                reason = " ".join(str(error).split())[:200]
                raise ConfigError(
                    f"{where} cannot take states ({rows}, {self.state_dim}), {reason}; export it "
                    "for these states, with a dynamic batch"
                ) from error
            shapes = [tuple(getattr(result, "shape", ())) for result in results]
            expected = (rows, self.action_dim)
            if any(shape != expected for shape in shapes):
                raise ConfigError(
                    f"{where} returns {' and '.join(map(str, shapes))} for {rows} states, has to "
                    f"return {expected}; export it with a dynamic batch"
                )

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        """Weights, and the program as the bytes of its JSON."""
        text = json.dumps(self._program, sort_keys=True).encode()
        sizes = torch.tensor([self.state_dim, self.action_dim], device=self.device)
        program = torch.tensor(list(text), dtype=torch.uint8, device=self.device)
        weights = {f"{_WEIGHTS}{name}": tensor for name, tensor in self._tensors.items()}
        return {_PROGRAM: program, _SIZES: sizes, **weights}

    @classmethod
    def from_state(
        cls, config: ProgramPriorConfig, tensors: dict[str, Tensor], device: str | torch.device
    ) -> Self:
        """Rebuild from what `state` returned.

        Raises:
            PriorFileError: The program calls what is not in the list.
        """
        program = json.loads(bytes(tensors[_PROGRAM].cpu().tolist()))
        check_operators(program["nodes"])
        weights = {
            name.removeprefix(_WEIGHTS): tensor.to(device)
            for name, tensor in tensors.items()
            if name.startswith(_WEIGHTS)
        }
        return cls(config, program, weights, *(int(size) for size in tensors[_SIZES]))

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `GaussianPrior.tensors`; computed in the precision of the program."""
        near = states.clamp(-_LARGEST, _LARGEST).to(self._dtype)
        results = compute(self._program, self._tensors, near)
        mean = results[0].to(states.dtype)
        if self.config.std is not None:
            return mean, torch.full_like(mean, self.config.std)
        return mean, results[1].to(states.dtype)

    def _to(self, device: torch.device) -> Self:
        tensors = {name: tensor.to(device) for name, tensor in self._tensors.items()}
        sizes = self.state_dim, self.action_dim
        copy = type(self)(self.config, self._program, tensors, *sizes)
        copy.data_hash = self.data_hash
        return copy
