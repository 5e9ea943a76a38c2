"""Offline sets like those of D4RL (Fu et al. 2020), from a study of `medium` and `expert`.

| set | what is in it |
| --- | --- |
| `random` | actions drawn uniformly |
| `medium` | the last policy of `medium`, with its noise |
| `medium-replay` | every whole episode in the replay of `medium` |
| `medium-expert` | the episodes of `medium`, and as many steps of the last policy of `expert` |

Each is a Minari set `TASK/NAME-v0`. Its metadata say who made it (`made_by`: experiments whole,
hashes of their checkpoints, reset seeds), what is in it (`content_hash`, the `hash` that a source
of demonstrations takes), and the task's `reference_returns`.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nppac_envs import Demonstrations, GymnasiumConfig, MinariConfig
from nppac_envs.checked import make_checked
from nppac_envs.config import EnvConfig
from nppac_envs.demonstrations.file_guard import expanded, read_json_object, sha256_of
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.operations import concatenate
from nppac_envs.demonstrations.policies import find_policy
from nppac_envs.demonstrations.recording import Policy
from nppac_envs.demonstrations.recording import record as play
from nppac_envs.measures import normalised
from nppac_priors.errors import ConfigError, DataError

from nppac_agents.reporting.measures import NOTHING
from nppac_agents.running.console import Console
from nppac_agents.running.lived_episodes import lived_episodes
from nppac_agents.running.play import acting
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import checkpoint_file
from nppac_agents.studies.reached import is_finished
from nppac_agents.studies.study import Study

SETS = {
    "random": ("random",),
    "medium": ("medium",),
    "medium-replay": ("replay",),
    "medium-expert": ("medium", "expert"),
}
"""The parts of each set"""
FIRST_SEEDS = {"random": 20_000, "medium": 120_000, "expert": 220_000}
"""Of the starts that are played, apart from those of evaluation and reporting"""
_OF_A_RUN = {"schema_", "comment", "output_dir", "logging", "device"}


@dataclass(frozen=True)
class OfflineSet:
    """A set, and where it is.

    Attributes:
        id: its name below the folder of sets.
        folder: its own.
        made: whether it was made now; else it had been there, as it would be made.
        demonstrations: what is in it.
        references: returns that normalise to 0 and 100, where the task states them.
    """

    id: str
    folder: Path
    made: bool
    demonstrations: Demonstrations
    references: tuple[float, float] | None


class _Part(NamedTuple):
    """Episodes of one maker: what the metadata say of it, and what plays or reads them."""

    made_by: dict[str, Any]
    episodes: Callable[[], Demonstrations]


def make_offline_sets(
    study: Study, root: Path, *, steps: int, console: Console
) -> Iterator[OfflineSet]:
    """Make the four sets, one after the other; one that is there as it would be made is kept.

    Args:
        study: with one finished run of `medium` and one of `expert`, of one task.
        root: folder of Minari sets.
        steps: to play of each policy, at least; episodes are whole.
        console: where progress goes.

    Raises:
        ConfigError: the study is another, or not finished.
        DataError: a set of this name is there that was made otherwise, or it cannot be written.
    """
    medium, expert = _runs(study)
    env = medium.config().env
    assert env is not None
    parts = _parts(env, medium, expert, steps, console)
    for name, of in SETS.items():
        id = f"{_task_name(env)}/{name}-v0"
        yield _kept_or_made(id, expanded(root), env, [parts[part] for part in of])


def _task_name(env: EnvConfig) -> str:
    """Its kind, or of any other Gymnasium environment the id or the callable, without a module."""
    name = env.id.rpartition(":")[2] if isinstance(env, GymnasiumConfig) else env.kind
    return re.sub("[^A-Za-z0-9_-]+", "-", name)


def _runs(study: Study) -> tuple[RunDirectory, RunDirectory]:
    """The two runs, medium and expert."""
    found = {run.point.experiment: run for run in study.runs}
    medium, expert = found.get("medium"), found.get("expert")
    alike = all(run.config.env == study.runs[0].config.env for run in study.runs)
    if medium is None or expert is None or len(study.runs) != 2 or not alike:
        raise ConfigError(
            f"{study.path}: offline sets need one run of an experiment 'medium' and one of "
            f"'expert', of one task; it has {', '.join(run.name for run in study.runs)}"
        )
    if medium.config.env is None:
        raise ConfigError(f"{study.path}: its experiments name no environment to play in")
    for run in (medium, expert):
        if not is_finished(run.path):
            raise ConfigError(
                f"{run.path}: is not finished; go on with it by nppac-run sweep first"
            )
    return RunDirectory(medium.path), RunDirectory(expert.path)


def _parts(
    env: EnvConfig, medium: RunDirectory, expert: RunDirectory, steps: int, console: Console
) -> dict[str, _Part]:
    """What sets consist of, by name; medium's episodes are played once for the two with them."""
    task = {"env": env.model_dump(mode="json")}
    by_medium, by_expert = _learned(medium), _learned(expert)

    def played(name: str, made_by: dict[str, Any], policy: Callable[[int], Policy]) -> _Part:
        seed = FIRST_SEEDS[name]

        @functools.cache
        def episodes() -> Demonstrations:
            return _play(env, name, policy(seed), steps, seed, console)

        return _Part({**made_by, **task, "first_seed": seed, "steps": steps}, episodes)

    def by(run: RunDirectory) -> Callable[[int], Policy]:
        return lambda seed: acting(run, "last", seed=seed)

    width = _action_dim(env)
    return {
        "random": played(
            "random", {"policy": "uniform"}, lambda seed: find_policy("uniform", width, seed)
        ),
        "medium": played("medium", {"policy": "last", **by_medium}, by(medium)),
        "expert": played("expert", {"policy": "last", **by_expert}, by(expert)),
        "replay": _Part({"policy": "replay", **by_medium}, lambda: lived_episodes(medium)),
    }


def _learned(run: RunDirectory) -> dict[str, Any]:
    """Who made something of a run: the whole experiment, and what it came to where it was run."""
    experiment = run.config().model_dump(mode="json", exclude=_OF_A_RUN)
    _, path = checkpoint_file(run, "last")
    return {"experiment": experiment, "checkpoint_sha256": sha256_of(path)}


def _action_dim(env: EnvConfig) -> int:
    with contextlib.closing(make_checked(env)) as made:
        space: Any = made.action_space
        return space.shape[0]


def _play(
    env: EnvConfig, name: str, policy: Policy, steps: int, seed: int, console: Console
) -> Demonstrations:
    with console.stage(f"{name}, episodes", None) as stage:
        return play(
            env,
            policy,
            1,
            n_steps=steps,
            first_seed=seed,
            source=name,
            on_episode=lambda kept, _: stage.advance(kept),
        )[0]


def _kept_or_made(id: str, root: Path, env: EnvConfig, parts: Sequence[_Part]) -> OfflineSet:
    made_by, references = [part.made_by for part in parts], env.reference_returns
    folder = root / id
    if folder.exists():
        recorded = read_json_object(folder / "data" / "metadata.json", id)
        if recorded.get("made_by") != made_by:
            raise DataError(
                f"{folder}: is there already, and was made otherwise; remove it or choose another "
                "folder"
            )
        kept = MinariConfig(id=id, root=root, hash=recorded.get("content_hash")).load()
        return OfflineSet(id, folder, False, kept, references)
    found = concatenate([part.episodes() for part in parts])
    further = {
        "made_by": made_by,
        "content_hash": found.hash,
        "reference_returns": None if references is None else list(references),
    }
    description = "Like D4RL's set of this name; made by nppac-run offline-sets, see made_by."
    write_minari(found, id, root, description=description, further=further)
    return OfflineSet(id, folder, True, found, references)


def told(one: OfflineSet) -> dict[str, str]:
    """A set in a row, by column."""
    counts = one.demonstrations.summary()
    mean = counts["return_mean"]
    return {
        "set": one.id,
        "": "made" if one.made else "kept",
        "episodes": f"{counts['episodes']:,}",
        "steps": f"{counts['steps']:,}",
        "return": f"{mean:,.1f}",
        "normalised": f"{normalised(mean, one.references):.1f}" if one.references else NOTHING,
        "hash": counts["hash"][:12],
    }
