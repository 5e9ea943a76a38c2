"""A policy of a finished run, judged again: on the reporting starts, or on any others."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nppac_envs.measures import Measures
from nppac_priors.cli.tables import table
from nppac_priors.errors import ConfigError

from nppac_agents.experiment.config import EvaluationConfig
from nppac_agents.reporting.intervals import episode_intervals
from nppac_agents.reporting.measures import NOTHING, told
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import RunPolicy, run_policy


@dataclass(frozen=True)
class Evaluated:
    """What a policy of a run reached.

    Attributes:
        run: the run's directory.
        policy: which of its policies.
        seeds: reset seeds, one an episode.
        chosen_on: whether the best policy was chosen on some of these starts.
        deterministic: whether it took its mean actions.
        measures: of all episodes.
    """

    run: Path
    policy: RunPolicy
    seeds: range
    chosen_on: bool
    deterministic: bool
    measures: Measures

    def as_json(self) -> dict[str, Any]:
        """JSON: means, 95 % intervals, and the values of every episode."""
        return {
            "run": str(self.run),
            "policy": self.policy.name,
            "env_steps": self.policy.env_steps,
            "actions": "deterministic" if self.deterministic else "sampled",
            "first_seed": self.seeds[0],
            "episodes": len(self.seeds),
            "selection_starts": self.chosen_on,
            "measures": self.measures.means(),
            "intervals": episode_intervals(self.measures),
            "per_episode": self.measures.per_episode(),
        }

    def as_text(self) -> str:
        """What was played, and a table of the measures."""
        means, intervals = self.measures.means(), episode_intervals(self.measures)
        actions = "mean" if self.deterministic else "sampled"
        heads = [
            ["run", str(self.run)],
            ["policy", self.policy.shown_as],
            ["episodes", f"{len(self.seeds)}, reset seeds {self.seeds[0]} to {self.seeds[-1]}"],
            ["actions", actions],
        ]
        rows = [["measure", "value", "95 % interval"]]
        for measure in told([means]):
            value, interval = means[measure.field], intervals[measure.field]
            ends = [NOTHING] if interval is None else [format(x, measure.form) for x in interval]
            rows.append([measure.title, measure.shown(value), " to ".join(ends)])
        lines = [table(heads), "", table(rows)]
        if self.chosen_on:
            lines += [
                "",
                "Settings and the best policy are chosen on these starts; others are fair.",
            ]
        return "\n".join(lines)


def evaluate(
    run_dir: RunDirectory,
    policy: str | None = None,
    *,
    episodes: int | None = None,
    first_seed: int | None = None,
    deterministic: bool = True,
) -> Evaluated:
    """Plays episodes with a policy of a run, in lockstep as the run does.

    Args:
        run_dir: of the run.
        policy: which, as `run_policy` takes it.
        episodes: how many; None for the experiment's reporting episodes, or those of an evaluation
            where it has none.
        first_seed: reset seed of the first; None for that of the reporting starts.
        deterministic: take mean actions; else sampled ones, with noise that the first seed fixes.

    Raises:
        ConfigError: the run has no environment, or no such policy.
        DataError, PriorFileError: a file of it is damaged.
    """
    config = run_dir.config()
    if config.env is None:
        raise ConfigError(f"{run_dir.path}: its experiment names no environment to evaluate in")
    seeds = _seeds(config.evaluation, episodes, first_seed)
    found = run_policy(run_dir, policy)
    found.actor.acting.manual_seed(seeds[0])
    with contextlib.closing(Evaluator(config.env, config.evaluation.episodes)) as evaluator:
        measures = evaluator.evaluate(found.actor, seeds, deterministic=deterministic)
    chosen = config.evaluation.selection_seeds
    overlap = seeds.start < chosen.stop and chosen.start < seeds.stop
    return Evaluated(run_dir.path, found, seeds, overlap, deterministic, measures)


def _seeds(protocol: EvaluationConfig, episodes: int | None, first_seed: int | None) -> range:
    from nppac_agents.experiment.config import REPORTING_SEED

    count = episodes or protocol.reporting_episodes or protocol.episodes
    first = REPORTING_SEED if first_seed is None else first_seed
    return range(first, first + count)
