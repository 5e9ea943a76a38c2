"""The training loop of all Gaussian networks: minibatch Adam, stopped on held-out episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nppac_priors.eager import Adam
from nppac_priors.errors import NumericalError
from nppac_priors.networks.training_set import Batch, TrainingSet
from nppac_priors.progress import Progress
from nppac_priors.randomness import isolated_randomness

if TYPE_CHECKING:
    from nppac_priors.networks.config import MLPConfig
    from nppac_priors.networks.objective import Objective
    from nppac_priors.progress import ProgressCallback

_HELD_OUT_AT_ONCE = 4096
_SCORING_SEED = 0


def train(
    config: MLPConfig,
    objective: Objective,
    data: TrainingSet,
    generator: torch.Generator,
    progress: ProgressCallback | None,
) -> None:
    """Minimise the objective in place.

    Each of its K groups draws its own batches. With held-out episodes each group keeps the
    parameters of its best evaluation, and the loop ends when none has improved for
    `config.patience` of them.

    Raises:
        NumericalError: A loss became non-finite.
    """
    parameters = objective.parameters
    optimizer = Adam(parameters, lr=config.learning_rate)
    best = BestParameters(parameters)
    shape = (len(parameters[0]), config.batch_size)
    for step in range(1, config.steps + 1):
        rows = torch.randint(len(data.fitted), shape, generator=generator).to(data.device)
        loss = objective.loss(data.fitted.take(rows))
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
        if step % config.evaluate_every == 0 or step == config.steps:
            values = {"loss": loss.detach()}
            if data.held_out is not None:
                values["held_out_loss"] = held_out_loss(objective, data.held_out)
                best.offer(values["held_out_loss"])
            stop = best.without_improvement >= config.patience
            _report(config, step, step if stop else config.steps, values, data, progress)
            if stop:
                break
    best.restore()


@torch.no_grad()
def held_out_loss(objective: Objective, held_out: Batch) -> Tensor:
    """The objective's score (K,) on all held-out states.

    Scores that draw networks draw with the same noise at every call: an evaluation is better than
    another for its parameters, not for its luck.
    """
    noise = torch.Generator().manual_seed(_SCORING_SEED)
    with isolated_randomness(noise, held_out.states.device):
        parts = [objective.score(part) * len(part) for part in held_out.chunks(_HELD_OUT_AT_ONCE)]
    return torch.stack(parts).sum(0) / len(held_out)


class BestParameters:
    """Remembers, for each of K groups of parameters, those of the lowest held-out loss.

    Attributes:
        without_improvement: Evaluations since any group improved.
    """

    def __init__(self, parameters: list[Tensor]) -> None:
        """Watch these parameters, each (K, ...)."""
        self._parameters = parameters
        self._loss: Tensor | None = None
        self._kept: list[Tensor] = []
        self.without_improvement = 0

    @torch.no_grad()
    def offer(self, loss: Tensor) -> None:
        """Keep the present parameters of the groups whose loss (K,) is a new minimum."""
        if self._loss is None:
            self._loss = loss
            self._kept = [parameter.clone() for parameter in self._parameters]
            return
        better = loss < self._loss
        self._loss = torch.where(better, loss, self._loss)
        for kept, parameter in zip(self._kept, self._parameters, strict=True):
            kept[better] = parameter[better]
        self.without_improvement = 0 if bool(better.any()) else self.without_improvement + 1

    @torch.no_grad()
    def restore(self) -> None:
        """Put the best parameters back; does nothing where none was offered."""
        for parameter, kept in zip(self._parameters, self._kept, strict=False):
            parameter.copy_(kept)


def _report(
    config: MLPConfig,
    step: int,
    total: int,
    values: dict[str, Tensor],
    data: TrainingSet,
    progress: ProgressCallback | None,
) -> None:
    action_dim = data.fitted.actions.shape[-1]
    means = {name: value.mean().item() / action_dim for name, value in values.items()}
    if not all(torch.isfinite(value).all() for value in values.values()):
        raise NumericalError(
            f"{config.kind}: the loss is not finite by step {step} of the fit ({means}); "
            f"lower learning_rate (now {config.learning_rate})"
        )
    if progress is not None:
        progress(Progress("fit", step, total, means))
