"""`ProgramPriorConfig`: a policy that one has already, as a `torch.export` program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from nppac_priors.config import PriorConfig
from nppac_priors.errors import ConfigError, PriorFileError
from nppac_priors.user_files import existing_file

if TYPE_CHECKING:
    import numpy as np
    import torch

    from nppac_priors.prior import Prior


class ProgramPriorConfig(PriorConfig):
    """A program from states (B, S) to a mean (B, A), or to a mean and a standard deviation.

    Write it with `torch.export.save(torch.export.export(policy, (states,), dynamic_shapes=({0:
    torch.export.Dim("batch")},)), "policy.pt2")`. Its "fit" reads the file and changes nothing;
    what is saved holds the program and needs the file no more. Its data hash is that of the
    demonstrations beside which it was read.
    """

    gaussian = True

    kind: Literal["program"] = "program"  # pyright: ignore[reportIncompatibleVariableOverride]
    path: str = Field(min_length=1)
    """The file that torch.export.save has written."""
    std: float | None = Field(default=None, gt=0.0)
    """Standard deviation in action units, for a program that returns a mean alone."""

    def require_files(self) -> None:
        """Look for the file."""
        existing_file(self.path, PriorFileError)

    def _fit(
        self,
        states: np.ndarray | torch.Tensor,
        actions: np.ndarray | torch.Tensor,
        *,
        device: torch.device,
        **others: Any,
    ) -> Prior:
        """Read the program and try it on a few states.

        Raises:
            PriorFileError: The file is missing, damaged, or calls what is not in the list.
            ConfigError: It does not take or return what these demonstrations have.
        """
        from nppac_priors.data import demonstration_tensors, hash_data
        from nppac_priors.given.program_file import read_program
        from nppac_priors.given.program_graph import check_operators
        from nppac_priors.given.program_prior import ProgramPrior

        states, actions = demonstration_tensors(states, actions, device=device)
        program, tensors = read_program(self.path)
        check_operators(program["nodes"])
        tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
        prior = ProgramPrior(self, program, tensors, states.shape[1], actions.shape[1])
        prior.data_hash = hash_data(states, actions)
        prior.try_out(states)
        if (prior.returns_std) == (self.std is not None):
            raise ConfigError(
                f"prior: {self.path} returns a mean and a std; leave out std, or wrap it in kind "
                "'constant-variance'"
                if prior.returns_std
                else f"prior: {self.path} returns a mean alone; give std, in action units"
            )
        return prior

    def from_state(
        self, tensors: dict[str, torch.Tensor], *, device: str | torch.device = "cpu"
    ) -> Prior:
        """Rebuild the prior; its program is checked again."""
        from nppac_priors.given.program_prior import ProgramPrior

        return ProgramPrior.from_state(self, tensors, device)
