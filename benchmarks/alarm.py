"""How often a policy's alarm is false, and how often it notices a disturbed environment.

An exact Gaussian process is fitted once to a set of demonstrations. Then

* every episode is judged as a new one would be: by the process without it, against an alarm of the
  others, each of which is judged by the process without both. Hyper-parameters stay those of all;
* with --halves, half of the episodes is, drawn again and again, by the process and against an alarm
  of the other half, in which no fresh one is known to either;
* with --fresh, so are further episodes of the same demonstrator, by the process of all. Beside it
  stands which rates an alarm of so few episodes comes out with, in 95 of 100 sets of them;
* the process's mean plays episodes, with nothing wrong and with each disturbance at each strength.

    python benchmarks/alarm.py door --every 4 --json door.json
    python benchmarks/alarm.py pen --every 2 --json pen.json
    python benchmarks/alarm.py door --every 4 --halves 10 --episodes 0 --json halves.json
    python benchmarks/alarm_figure.py door.json pen.json --output alarm.png
    python benchmarks/alarm.py pen --every 2 --fresh fresh.npz --episodes 0 --json fresh.json

Time grows with the cube of the states; --every takes every n-th, of episodes to be judged too, as a
loop would that asks for trust at every n-th step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from disturbed import disturbances, play
from nppac_agents.reporting.statistics import mean, stratified_bootstrap, wilson
from nppac_envs import Demonstrations, NpzConfig, ShippedConfig, shipped_names
from nppac_envs.checked import make_checked
from nppac_envs.environments import env_config
from nppac_priors import ExactGPConfig
from nppac_priors.deployed.alarm import Alarm, scores_of
from nppac_priors.gp.exact.conditioning import decompose
from nppac_priors.gp.exact.left_out import LeaveOut
from scipy.stats import beta
from torch import Tensor

PER_STEP, PER_EPISODE = 0.01, 0.1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("set", help="name of a shipped set, or an npz file of demonstrations")
    parser.add_argument("--env", help="kind of environment; the set's name if not given")
    parser.add_argument("--fresh", type=Path, help="npz file of the same demonstrator, other seeds")
    parser.add_argument("--halves", type=int, default=0, help="how often to hold half of them out")
    parser.add_argument("--every", type=int, default=1, help="of how many states one is taken")
    parser.add_argument("--prior", type=json.loads, default={}, help="exact-gp fields as JSON")
    parser.add_argument("--episodes", type=int, default=20, help="for each disturbance; 0: none")
    parser.add_argument("--first-seed", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True)
    return parser.parse_args()


def loaded(name: str) -> Demonstrations:
    shipped = name in shipped_names()
    return (ShippedConfig(name=name) if shipped else NpzConfig(path=Path(name))).load()


def thinned(demonstrations: Demonstrations, every: int) -> tuple[Tensor, Tensor, list[int]]:
    """Every n-th state and action of each episode, and how many of each that leaves."""
    ends = np.cumsum(demonstrations.episode_lengths)
    spans = zip(ends - demonstrations.episode_lengths, ends, strict=True)
    kept = [np.arange(start, end, every) for start, end in spans]
    rows = np.concatenate(kept)
    states, actions = demonstrations.states[rows], demonstrations.actions[rows]
    return torch.from_numpy(states), torch.from_numpy(actions), [len(part) for part in kept]


def rates(alarm: Alarm, episodes: list[Tensor]) -> tuple[list[float], list[bool]]:
    """Of each episode's scores (n,): the share of steps with an alarm, and whether it has any."""
    step, episode = (
        alarm.threshold(**{unit: rate})
        for unit, rate in (("per_step", PER_STEP), ("per_episode", PER_EPISODE))
    )
    trusts = [alarm.trust(scores) for scores in episodes]
    return [float((t < step).double().mean()) for t in trusts], [
        bool((t < episode).any()) for t in trusts
    ]


def judged(shares: list[float], alarms: list[bool]) -> dict[str, Any]:
    """Both rates with their 95 % intervals; that of the steps draws whole episodes."""
    drawn = stratified_bootstrap([np.array(shares)], mean, generator=np.random.default_rng(0))
    return {
        "episodes": len(alarms),
        "steps": float(np.mean(shares)),
        "steps_interval": list(drawn),
        "alarmed": float(np.mean(alarms)),
        "alarmed_interval": list(wilson(sum(alarms), len(alarms))),
    }


def rates_of_sets(episodes: int) -> list[float]:
    """Between which rates per episode an alarm of E episodes lies, in 95 of 100 sets of E.

    The j-th highest of E exchangeable scores is exceeded with a probability that is distributed as
    Beta(j, E + 1 - j) (Vovk 2012).
    """
    place = int(PER_EPISODE * (episodes + 1) + 1e-9)
    return beta.ppf((0.025, 0.975), place, episodes + 1 - place).tolist()


def step_rates_of_sets(scores: Sequence[Tensor], episodes: int, draws: int = 200) -> list[float]:
    """The same of the rate per step: alarms of E episodes drawn from many, on all the others."""
    generator, found = np.random.default_rng(0), []
    for _ in range(draws):
        order = generator.permutation(len(scores))
        known, others = ([scores[i] for i in part] for part in np.split(order, [episodes]))
        alarm = Alarm(torch.cat(known), torch.stack([part.max() for part in known]))
        found.append(np.mean(rates(alarm, others)[0]))
    return np.quantile(found, (0.025, 0.975)).tolist()


def left_out(without: LeaveOut, rows: Sequence[Tensor]) -> dict[str, Any]:
    """False alarms on each demonstrated episode, of which neither prior nor alarm know."""
    lengths = [len(part) for part in rows]
    std: dict[tuple[int, int], Tensor] = {}
    for one, other in itertools.combinations(range(len(rows)), 2):
        both = without.std(torch.cat([rows[one], rows[other]])).split(
            [lengths[one], lengths[other]]
        )
        std[other, one], std[one, other] = both
    shares, alarms, curve = [], [], []
    for new in range(len(rows)):
        others = [e for e in range(len(rows)) if e != new]
        alarm = Alarm.of(
            torch.cat([std[new, e] for e in others]), torch.tensor([lengths[e] for e in others])
        )
        scores = scores_of(without.std(rows[new]))
        share, alarmed = rates(alarm, [scores])
        shares, alarms = shares + share, alarms + alarmed
        curve.append(_by_rate(alarm, scores))
    stated = [place / len(rows) for place in range(1, len(rows) // 2 + 1)]
    counts = np.sum(curve, 0).tolist()
    return judged(shares, alarms) | {"stated": stated, "alarmed_of_stated": counts}


def halves(without: LeaveOut, rows: Sequence[Tensor], draws: int) -> dict[str, Any]:
    """False alarms on one half of the episodes, of the alarm of the other; drawn so many times.

    A known episode is judged by the process without it and without all of the new half.
    """
    generator, steps, alarmed = np.random.default_rng(0), [], []
    lengths = [len(part) for part in rows]
    for _ in range(draws):
        order = generator.permutation(len(rows))
        known, new = np.split(order, [(len(rows) + 1) // 2])
        held_out = torch.cat([rows[e] for e in new])
        of_known = [
            without.std(torch.cat([rows[e], held_out]))[: lengths[e]] for e in known.tolist()
        ]
        alarm = Alarm.of(torch.cat(of_known), torch.tensor([len(std) for std in of_known]))
        scores = scores_of(without.std(held_out)).split([lengths[e] for e in new])
        share, any_alarm = rates(alarm, list(scores))
        steps.append(float(np.mean(share)))
        alarmed.append(float(np.mean(any_alarm)))
        print(json.dumps({"steps": steps[-1], "alarmed": alarmed[-1]}), file=sys.stderr, flush=True)
    return {"known": len(known), "steps": steps, "alarmed": alarmed}


def _by_rate(alarm: Alarm, scores: Tensor) -> list[bool]:
    """Whether an episode has an alarm at rates 1 / (E + 1), 2 / (E + 1), up to a half."""
    count = len(alarm.episode_scores) + 1
    thresholds = [alarm.threshold(per_episode=j / count) for j in range(1, count // 2 + 1)]
    return [bool((alarm.trust(scores) < threshold).any()) for threshold in thresholds]


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    demonstrations = loaded(arguments.set)
    states, actions, lengths = thinned(demonstrations, arguments.every)
    prior: Any = ExactGPConfig(**arguments.prior).fit(
        states, actions, generator=torch.Generator().manual_seed(0)
    )
    hyperparameters, data = prior.hyperparameters, prior.data
    decomposition = decompose(prior.config.kernel, hyperparameters, data)
    without = LeaveOut(decomposition, hyperparameters, data)
    rows = torch.arange(len(states)).split(lengths)
    alarm = Alarm.of(torch.cat([without.std(part) for part in rows]), torch.tensor(lengths))
    found: dict[str, Any] = {
        "set": arguments.set, "every": arguments.every, "states": len(states),
        "per_step": PER_STEP, "per_episode": PER_EPISODE, "left_out": left_out(without, rows),
    }  # fmt: skip
    print(json.dumps(found), file=sys.stderr, flush=True)
    if arguments.halves:
        found["halves"] = halves(without, rows, arguments.halves)
    if arguments.fresh is not None:
        fresh, _, counts = thinned(loaded(str(arguments.fresh)), arguments.every)
        scores = _scores(prior, fresh).split(counts)
        found["fresh"] = judged(*rates(alarm, list(scores)))
        found["fresh"]["alarmed_of_sets"] = rates_of_sets(len(lengths))
        if len(scores) > len(lengths):
            found["fresh"]["steps_of_sets"] = step_rates_of_sets(scores, len(lengths))
        print(json.dumps(found["fresh"]), file=sys.stderr, flush=True)
    found["played"] = []
    if arguments.episodes:
        found["played"] = list(played(arguments, prior, alarm, demonstrations.states.std(0)))
    arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def played(
    arguments: argparse.Namespace, prior: Any, alarm: Alarm, scale: np.ndarray
) -> Iterator[dict[str, Any]]:
    """Success and alarms of the process's mean under each disturbance."""
    envs = [
        make_checked(env_config(arguments.env or arguments.set)) for _ in range(arguments.episodes)
    ]
    for name, strength, playing in disturbances(scale):
        told, success = play(prior, envs, arguments.first_seed, playing)
        told = told[:, :: arguments.every]
        scores = _scores(prior, told.flatten(0, 1)).unflatten(0, told.shape[:2])
        row = {"what": name, "strength": strength, "success": success}
        row |= judged(*rates(alarm, list(scores)))
        print(json.dumps(row), file=sys.stderr, flush=True)
        yield row


def _scores(prior: Any, states: Tensor) -> Tensor:
    return scores_of(prior.moments(states)[1])


if __name__ == "__main__":
    main()
