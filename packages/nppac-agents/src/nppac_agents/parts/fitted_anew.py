"""A prior of the same configuration, fitted to other episodes in the middle of a run."""

from __future__ import annotations

import torch
from nppac_priors import Prior

from nppac_agents.data.best_episodes import Episodes
from nppac_agents.parts.tensors import spawn_generator


def fitted_anew(prior: Prior, episodes: Episodes, generator: torch.Generator) -> Prior:
    """The config of `prior`, fitted to `episodes`, as it is when a checkpoint is read back.

    What a run goes on with has the memory layout of what a resume reads: the same numbers lying
    otherwise multiply to other last bits.
    """
    fitted = prior.config.fit(
        episodes.states,
        episodes.actions,
        episode_lengths=episodes.lengths,
        device=prior.device,
        generator=spawn_generator(generator, "cpu"),
    )
    tensors = {
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in fitted.state().items()
    }
    read = prior.config.from_state(tensors, device=prior.device)
    read.reuse(fitted)
    return read
