"""The card of an exported policy, for people: where it comes from, what it reached, its licence.

`card.json` is the data, and `README.md` the same as a page, which model hubs show. Paths of the
machine that exported it are not in them, names of files are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nppac_envs import Demonstrations
from nppac_priors.deployed.alarm import Alarm
from nppac_priors.deployed.files import checksums
from nppac_priors.errors import DataError
from nppac_priors.plugin_loading import version_of
from pydantic import BaseModel

from nppac_agents.reporting.measures import told
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import RunPolicy

NO_LICENCE = "none given: nobody but its owner may use it or pass it on; ask them"


def card(
    run_dir: RunDirectory,
    policy: RunPolicy,
    alarm: Alarm | None,
    demonstrations: Demonstrations | None,
    folder: Path,
    licence: str | None,
) -> dict[str, Any]:
    """What is known of a policy, as JSON.

    Args:
        run_dir: that it is of.
        policy: which of the run's.
        alarm: None for none.
        demonstrations: of the run; None where it has none.
        folder: where the policy was written, whose files get their checksums.
        licence: of the policy, in a line; None says that there is none.

    Raises:
        DataError: a file of the run is damaged.
    """
    config, environment = run_dir.config(), environment_of(run_dir)
    summary = run_dir.summary() or {}
    reported = {"last": summary, "best": summary.get("best") or {}}.get(policy.name, {})
    return {
        "licence": " ".join((licence or NO_LICENCE).split()),
        "policy": policy.name,
        "env_steps": policy.env_steps,
        "env": _shown(config.env),
        "agent": _shown(config.agent),
        "prior": _shown(config.prior),
        "demonstrations": _data(config.demonstrations, demonstrations),
        "demonstrations_hash": environment.get("demonstrations_hash"),
        "run_id": environment.get("run_id"),
        "seed": config.seed,
        "measures": reported.get("reported"),
        "intervals": reported.get("reported_intervals"),
        "starts": (summary.get("protocol") or {}).get("reporting"),
        "alarm": None if alarm is None else _rates(alarm),
        "checksums": checksums(folder),
        "versions": {name: version_of(name) for name in ("nppac-agents", "nppac-priors", "torch")},
    }


def page(card: Mapping[str, Any]) -> str:
    """The card in Markdown, with the front matter that model hubs read."""
    env = card["env"] or {"kind": "no environment"}
    data = {k: v for k, v in (card["demonstrations"] or {}).items() if k != "hash"}
    starts = card["starts"] or {}
    facts = [
        ("task", _fields(card["env"])),
        ("demonstrations", _fields(data)),
        ("hash of the demonstrations", card["demonstrations_hash"]),
        ("policy", f"{card['policy']}, after {card['env_steps']:,} steps of seed {card['seed']}"),
        ("prior", _fields(card["prior"])),
        ("licence", card["licence"]),
    ]
    measures, intervals = card["measures"] or {}, card["intervals"] or {}
    reached = [
        (measure.title, measure.shown(measures.get(measure.field), intervals.get(measure.field)))
        for measure in told([measures])
    ]
    played = f"{starts.get('episodes')} episodes, reset seeds from {starts.get('first_seed')}"
    files = [(name, f"`{found}`") for name, found in card["checksums"].items()]
    parts = [
        "---\nlibrary_name: nppac-priors\npipeline_tag: reinforcement-learning\n---",
        f"# {env.get('id', env['kind'])}: a policy of `{card['agent']['kind']}`",
        "`nppac_priors.load_policy(FOLDER)` reads it; nothing in it is executed.",
        _table(("", ""), facts),
        "## What it reached",
        _table(("measure", "value and 95 % interval"), reached) + f"\n\nOver {played}."
        if measures
        else "Not measured.",
        "## Checksums",
        _table(("file", "checksum"), files),
        "All that is known of it, the alarm's thresholds too, is in `card.json`.",
    ]
    return "\n\n".join(parts) + "\n"


def environment_of(run_dir: RunDirectory) -> dict[str, Any]:
    """What a run wrote about where it ran.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return json.loads(run_dir.environment.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{run_dir.environment}: cannot be read: {error}") from None


def _data(config: BaseModel | None, demonstrations: Demonstrations | None) -> dict[str, Any] | None:
    if config is None or demonstrations is None:
        return None
    counts = {"episodes": demonstrations.n_episodes, "steps": len(demonstrations)}
    return _shown(config) | counts


def _shown(config: BaseModel | None) -> Any:
    """A configuration as JSON, of its paths the names alone."""
    if config is None:
        return None
    return _without_folders(config.model_dump(mode="json"), config.model_dump())


def _without_folders(value: Any, typed: Any) -> Any:
    if isinstance(typed, Path):
        return typed.name
    if isinstance(typed, Mapping):
        return {name: _without_folders(value[name], part) for name, part in typed.items()}
    return value


def _rates(alarm: Alarm) -> dict[str, Any]:
    """Thresholds of trust at usual rates of false alarms; None where there are too few episodes."""
    card: dict[str, Any] = {
        "states": len(alarm.scores),
        "episodes": len(alarm.episode_scores),
    }
    for unit, rate in (("per_step", 0.01), ("per_episode", 0.05), ("per_episode", 0.1)):
        try:
            card[f"threshold_{rate:g}_{unit}"] = alarm.threshold(**{unit: rate})
        except DataError:
            card[f"threshold_{rate:g}_{unit}"] = None
    return card


def _fields(config: Mapping[str, Any] | None) -> str:
    """The fields of a configuration that say something, in a line."""
    return _in_a_line(_telling(config or {})) or "none"


def _telling(config: Mapping[str, Any]) -> dict[str, Any]:
    """Without fields that are unset or empty, and names that stand for themselves."""
    inner = {k: _telling(v) if isinstance(v, Mapping) else v for k, v in config.items()}
    return {k: v for k, v in inner.items() if v not in (None, False, [], {}, "", k)}


def _in_a_line(fields: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} ({_in_a_line(value)})" if isinstance(value, Mapping) else f"{name} {value}"
        for name, value in fields.items()
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
