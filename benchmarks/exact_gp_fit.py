"""Fit of the exact GP against GPyTorch's exact intrinsic coregionalisation model.

Both maximise the same marginal likelihood from the same start with Adam. First, seconds of one step
on all N states (`gpytorch_step_s`, `step_s`). Then GPyTorch's fit of `--steps` steps on all states,
and how long the fit of `exact-gp`, with its default subsets (`subset_step_s` a step), takes to the
same held-out negative log-likelihood.

    python benchmarks/exact_gp_fit.py [--states 500 1000 2000] [--steps 50] [--threads 1]

One JSON object per N. CPU seconds, so that a busy machine changes little.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import gpytorch
import torch
from gpytorch.distributions import MultitaskMultivariateNormal
from nppac_priors import ExactGPConfig
from nppac_priors.gp.exact.conditioning import condition, decompose
from nppac_priors.gp.exact.fitting import fit_hyperparameters, model_log_likelihood
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.model import GPModel, Hyperparameters, initial_model
from nppac_priors.gp.predictor import Predictor
from nppac_priors.state_scale import StateScale
from synthetic import smooth_demonstrations

KERNEL = "matern32"
LADDER = (5, 10, 20, 40, 80, 150, 300)
"""Steps of `exact-gp` that are tried, with GPyTorch's own, each from the start, until one is as
good to within `EQUAL`."""
EQUAL = 1e-3
"""Nats per action entry."""


class GPyTorchICM(gpytorch.models.ExactGP):
    """GPyTorch's exact multitask GP with the modules of a `GPModel`."""

    def __init__(self, model: GPModel, states: torch.Tensor, actions: torch.Tensor) -> None:
        super().__init__(states, actions, model.likelihood)
        self.mean_module, self.covar_module = model.mean_module, model.covar_module

    def forward(self, inputs: torch.Tensor) -> MultitaskMultivariateNormal:
        return MultitaskMultivariateNormal(self.mean_module(inputs), self.covar_module(inputs))


def start(data: TrainingData, rank: int) -> tuple[GPModel, torch.Tensor, torch.Tensor]:
    """Where the fit of `exact-gp` starts, and the scale of the states."""
    scale = StateScale.of([data.states]).scale
    generator = torch.Generator().manual_seed(0)
    model = initial_model(KERNEL, rank, data.states.shape[1], data.actions, generator)
    return model, data.states.double() / scale, scale


def gpytorch_step(
    data: TrainingData, rank: int
) -> tuple[Callable[[], float], GPModel, torch.Tensor]:
    """A function that does one step, the model that it changes, and the scale of the states."""
    model, states, scale = start(data, rank)
    actions = data.actions.double()
    reference = GPyTorchICM(model, states, actions).train()
    criterion = gpytorch.mlls.ExactMarginalLogLikelihood(model.likelihood, reference)
    optimizer = torch.optim.Adam(reference.parameters(), lr=0.1)

    def step() -> float:
        optimizer.zero_grad()
        loss = -criterion(reference(states), actions)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, model, scale


def our_step(data: TrainingData, rank: int) -> Callable[[], float]:
    """One step of `exact-gp` on all states."""
    model, states, _ = start(data, rank)
    actions, weights = data.actions.double(), data.weights.double()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

    def step() -> float:
        optimizer.zero_grad()
        loss = -model_log_likelihood(model, states, actions, weights)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def best_seconds(function: Callable[[], object], repeats: int) -> float:
    """CPU seconds of the fastest of several calls, after one that does not count."""
    function()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return min(times)


def held_out_nll(
    hyperparameters: Hyperparameters, data: TrainingData, states, actions: torch.Tensor
) -> float:
    """Per action entry in nats, conditioned on all of the data."""
    factors = condition(decompose(KERNEL, hyperparameters, data), hyperparameters, data)
    mean, std = Predictor(KERNEL, hyperparameters, data.states, factors).moments(states)
    return -torch.distributions.Normal(mean, std).log_prob(actions).mean().item()


def compare(n: int, rank: int, steps: int, repeats: int) -> dict[str, object]:
    """Step times and times to equal quality at N states."""
    x, y = smooth_demonstrations(n)
    data = TrainingData.check(x, y, torch.ones(len(x)))
    test = tuple(torch.as_tensor(v) for v in smooth_demonstrations(1000, part=1))
    result: dict[str, object] = {"states": n, "rank": rank}
    step, *_ = gpytorch_step(data, rank)
    theirs, ours = best_seconds(step, repeats), best_seconds(our_step(data, rank), repeats)
    result |= {"gpytorch_step_s": theirs, "step_s": ours, "step_ratio": theirs / ours}
    step, model, scale = gpytorch_step(data, rank)
    began = time.process_time()
    for _ in range(steps):
        step()
    theirs = time.process_time() - began
    target = held_out_nll(model.hyperparameters(scale), data, *test)
    result |= {"gpytorch_steps": steps, "gpytorch_fit_s": theirs, "gpytorch_nll": target}
    for own_steps in sorted({*LADDER, steps}):
        config = ExactGPConfig(
            kernel=KERNEL, task_covariance="icm", rank=rank, steps=own_steps, learning_rate=0.1
        )
        began = time.process_time()
        generator = torch.Generator().manual_seed(0)
        hyperparameters = fit_hyperparameters(config, data, generator, None)
        ours = time.process_time() - began
        nll = held_out_nll(hyperparameters, data, *test)
        result |= {"steps": own_steps, "fit_s": ours, "subset_step_s": ours / own_steps}
        result |= {"nll": nll, "fit_ratio": theirs / ours}
        if nll <= target + EQUAL:
            return result
    return result | {"fit_ratio": None}


def main() -> None:
    """Prints one JSON object per N; no `fit_ratio` where GPyTorch's quality was not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--rank", type=int, default=1, help="columns of W")
    parser.add_argument("--steps", type=int, default=50, help="of GPyTorch's fit")
    parser.add_argument("--repeats", type=int, default=3, help="timed steps")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for n in arguments.states:
        result = compare(n, arguments.rank, arguments.steps, arguments.repeats)
        print(
            json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in result.items()}),
            flush=True,
        )


if __name__ == "__main__":
    main()
