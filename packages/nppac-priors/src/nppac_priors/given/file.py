"""`FilePriorConfig`: a prior that was fitted before, used as it is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from nppac_priors.config import PriorConfig
from nppac_priors.errors import ConfigError, PriorFileError
from nppac_priors.user_files import existing_file

if TYPE_CHECKING:
    import numpy as np
    import torch

    from nppac_priors.prior import Prior

logger = logging.getLogger(__name__)


class FilePriorConfig(PriorConfig):
    """A fitted prior in a file, such as the one that a health report judged.

    Its "fit" reads the file: what comes out has the configuration that it was fitted by.
    """

    kind: Literal["file"] = "file"  # pyright: ignore[reportIncompatibleVariableOverride]
    path: str = Field(min_length=1)
    """The file that nppac-prior fit, or a run, has written."""

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
        """Read the prior; warns where it was fitted to other data than these.

        Raises:
            PriorFileError: The file is missing, damaged, or of another version.
            ConfigError: It is a prior of other dimensions.
        """
        from nppac_priors.data import finite_matrix, hash_data
        from nppac_priors.loading import load_prior

        given = finite_matrix(states, "states"), finite_matrix(actions, "actions")
        prior = load_prior(self.path, device=device)
        found = prior.state_dim, prior.action_dim
        wanted = tuple(matrix.shape[1] for matrix in given)
        if found != wanted:
            raise ConfigError(
                f"prior {self.path}: has {found[0]} state and {found[1]} action dimensions, the "
                f"demonstrations have {wanted[0]} and {wanted[1]}; fit it to these"
            )
        if prior.data_hash != hash_data(*given):
            logger.warning(
                "%s was fitted to other data than these demonstrations, or to a part of them",
                self.path,
            )
        return prior

    def from_state(self, tensors: dict[str, Any], *, device: str | torch.device = "cpu") -> Prior:
        """Never called: a prior that is read keeps the configuration that it was fitted by."""
        raise ConfigError("prior: kind 'file' names a file and is not stored in one")
