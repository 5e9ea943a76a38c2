"""Large factors of a run's prior, kept in the run directory once one of its policies needed them.

An exact Gaussian process of some thousand states takes half a minute to factorise, and its factors
a hundred megabytes. A run and its resumption leave them alone: what they learn is to follow from
the prior's file and nothing else, to the bit.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from nppac_priors import Prior, load_prior
from nppac_priors.errors import PriorFileError


def recall_factors(prior: Prior, kept: Path) -> None:
    """Give a prior its factors from the file that keeps them, which is written where there is none.

    Nothing is kept of a prior without such factors. A file that is damaged is written anew, one
    that cannot be written is done without.

    Args:
        prior: as the run's file has it, on the CPU.
        kept: the file.
    """
    if kept.exists():
        with contextlib.suppress(PriorFileError):
            prior.reuse(load_prior(kept))
            return
    if prior.state(include_factors=True).keys() != prior.state().keys():
        with contextlib.suppress(PriorFileError):
            prior.save(kept, include_factors=True)
