"""Demonstrations as rows of the replay, for the methods that learn from their transitions."""

from __future__ import annotations

import numpy as np
import torch
from nppac_envs import Demonstrations
from torch import Tensor

from nppac_agents.data.episode_columns import EPISODE_COLUMNS, Stretch
from nppac_agents.data.layout import Layout
from nppac_agents.data.observed_prior import ObservedPrior, moments_along
from nppac_agents.parts.tensors import as_tensor


def demonstrated_rows(
    demonstrations: Demonstrations,
    layout: Layout,
    observed: ObservedPrior | None,
    device: str | torch.device,
) -> Tensor:
    """All N demonstrated transitions, (N, width), with the prior's moments at their states.

    Rewards that are not known are zero. The end of an episode that did not terminate counts as
    truncated, whether a time limit cut it or the recording stopped: its last state has a value but
    for methods to which timeouts are terminal.
    """
    known = demonstrations.transitions()
    terminals, ends = known["terminals"], known["episode_ends"]
    arrays = {
        "states": known["states"],
        "actions": known["actions"],
        "rewards": known.get("rewards", np.zeros(len(demonstrations))),
        "terminated": terminals,
        "truncated": ends & ~terminals,
        "next_states": known["next_states"],
    }
    columns = {name: as_tensor(array, device) for name, array in arrays.items()}
    given = columns["actions"], columns["rewards"], as_tensor(ends, device)
    columns |= {
        name: EPISODE_COLUMNS[name].of(Stretch(*given, layout.discounting)) for name in layout.extra
    }
    if observed is not None:
        last = torch.as_tensor(np.cumsum(demonstrations.episode_lengths) - 1, device=device)
        final = as_tensor(demonstrations.final_states, device)
        moments = moments_along(observed.prior, columns["states"], last, final)
        columns |= layout.prior_columns(*moments)
    return layout.pack(columns)
