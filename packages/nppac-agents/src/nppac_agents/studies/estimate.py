"""How long the runs of a study will take: as long as their siblings took, or as parts of one do.

Without a finished run of the same point, some of its steps, updates and an evaluation episode are
timed, on one thread more or less as a run has, and multiplied. Fitting the prior is left out, and
so is what an expensive prior adds to an environment step: the parts are timed with a small one.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from nppac_envs import Demonstrations, EnvConfig
from nppac_priors import GaussianMLPConfig, Prior

from nppac_agents.agent import Agent
from nppac_agents.data.replay import TensorReplay
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.device import resolve_device
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.phase import Phase
from nppac_agents.running import assembly
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.seeds import Seeds
from nppac_agents.studies.checks import waits_for_a_server
from nppac_agents.studies.expansion import StudyRun
from nppac_agents.studies.reached import is_finished

_REPEATS = 5
_ROOM = 10_000
"""Transitions of the replay that is timed, or as many as one update consumes"""


NOT_HERE = "not timed, its demonstrations are fetched first"


def estimates(runs: Sequence[StudyRun]) -> dict[str, tuple[float | None, str]]:
    """Seconds by name of a run, and what they are from: `took`, `as its seeds` or `timed`.

    None, and why, for a run whose demonstrations are still to be fetched.

    Args:
        runs: of one study.
    """
    took = {run.name: _seconds(run) for run in runs if is_finished(run.path)}
    found: dict[str, tuple[float | None, str]] = {}
    timed: dict[str, float] = {}
    for run in runs:
        siblings = [took[r.name] for r in runs if r.name in took and r.point is run.point]
        if run.name in took:
            found[run.name] = took[run.name], "took"
        elif siblings:
            found[run.name] = float(np.mean(siblings)), "as its seeds"
        elif waits_for_a_server(run.config):
            found[run.name] = None, NOT_HERE
        else:
            if run.point.name not in timed:
                timed[run.point.name] = timed_seconds(run.config)
            found[run.name] = timed[run.point.name], "timed"
    return found


def timed_seconds(config: ExperimentConfig) -> float:
    """The seconds of learning and evaluating in a run, from timing its parts here and now."""
    device, seeds = resolve_device(config.device), Seeds.of(config.seed)
    spaces, demonstrations = assembly.spaces_and_demonstrations(config)
    prior = _small_prior(config, demonstrations)
    agent = assembly.build_agent(config, spaces, prior, demonstrations, seeds, device)
    n_envs = config.training.n_envs
    room = max(_ROOM, agent.consumed_steps + n_envs)
    replay = agent.make_replay(room, n_envs, seeds.replay)
    playing = 0.0 if config.env is None else _playing(config.env, config, agent, replay)
    return playing + _learning(config, agent, replay)


def _playing(env: EnvConfig, config: ExperimentConfig, agent: Agent, replay: TensorReplay) -> float:
    """Seconds of all environment steps and evaluations; fills the replay for an update."""
    n_envs, evaluation = config.training.n_envs, config.evaluation
    with contextlib.ExitStack() as stack:
        environments = Seeds.of(config.seed).environments
        rollouts = Rollouts(env, n_envs, agent, replay, seed=environments)
        stack.callback(rollouts.close)
        per_step = _timed(rollouts.step, max(agent.consumed_steps // n_envs, _REPEATS)) / n_envs
        evaluator = Evaluator(env, 1)
        stack.callback(evaluator.close)
        first = evaluation.selection_seeds[:1]
        per_episode = _timed(lambda: evaluator.evaluate(agent, first), 1)
    return per_step * config.training.env_steps + per_episode * _episodes(config)


def _learning(config: ExperimentConfig, agent: Agent, replay: TensorReplay) -> float:
    """Seconds of all updates; a method whose update changes with their number has it set."""
    seconds, done = 0.0, 0
    for phase in agent.phases:
        if phase.update is not None:
            learn, agent.updates = functools.partial(agent.learn, phase, replay), done
            consumes = phase.steps_per_update is not None
            per_update = _once(learn) if consumes else _timed(learn, _REPEATS)
            updates = _updates(phase, config, agent)
            seconds, done = seconds + per_update * updates, done + math.ceil(updates)
    return seconds


def _small_prior(config: ExperimentConfig, demonstrations: Demonstrations | None) -> Prior | None:
    """A network in place of the prior: of its own kind where that is one, fitted for one step."""
    if config.prior is None or demonstrations is None:
        return None
    small = GaussianMLPConfig.model_validate({"steps": 1})
    if {"steps", "hidden"} <= type(config.prior).model_fields.keys():
        small = config.prior.model_copy(update={"steps": 1})
    return small.fit(demonstrations.states, demonstrations.actions)


def _timed(work: Callable[[], object], times: int) -> float:
    """Seconds of one call, after a first that is not counted."""
    work()
    return sum(_once(work) for _ in range(times)) / times


def _once(work: Callable[[], object]) -> float:
    """Seconds of a single call, for what leaves a second one nothing to work on."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _updates(phase: Phase, config: ExperimentConfig, agent: Agent) -> float:
    """Updates of a phase in the whole run."""
    if not phase.interacts:
        return phase.length or 0
    training = config.training
    if phase.steps_per_update is not None:
        return training.env_steps / phase.steps_per_update
    collected = sum(p.length or 0 for p in agent.phases if p.interacts and p.update is None)
    paid = max(training.env_steps - max(training.start_steps, collected), 0)
    return paid * training.updates_per_step


def _episodes(config: ExperimentConfig) -> int:
    """Evaluation episodes of the whole run; the best policy, too, plays the reporting starts."""
    evaluation = config.evaluation
    times = config.training.env_steps // evaluation.every + 1
    return times * evaluation.episodes + 2 * evaluation.reporting_episodes


def _seconds(run: StudyRun) -> float:
    summary = RunDirectory(run.path).summary()
    assert summary is not None, "it is finished"
    return float(summary["wall_seconds"])
