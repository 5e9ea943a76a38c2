"""The options that say which demonstrations, common to all commands that read a set."""

from __future__ import annotations

import argparse
from typing import Any

from nppac_envs.demonstrations.config import ActionBound, DemonstrationsConfig
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.file_guard import expanded
from nppac_envs.demonstrations.locations import SOURCES, locate


def add_source_options(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add SOURCE and what changes how it is read."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="+" if several else None,
        help="a file (.npz, .csv, .hdf5, .pickle, .npy), a LeRobot folder, a Minari id such as "
        "D4RL/door/human-v2 or its folder, or the name of a set that ships, such as door",
    )
    add = parser.add_argument_group("reading SOURCE").add_argument
    add(
        "--source",
        dest="kind",
        choices=SOURCES,
        metavar="KIND",
        help=f"what SOURCE is, instead of finding out: {', '.join(SOURCES)}",
    )
    add(
        "--map",
        nargs="+",
        type=_assignment,
        default=[],
        metavar="OURS=THEIRS",
        dest="fields",
        help="names in the file, such as states=obs actions=act; several with commas",
    )
    add("--root", type=expanded, metavar="DIR", help="folder of Minari sets")
    add("--download", action="store_true", help="fetch a Minari set that is not there")
    add("--n-episodes", type=int, metavar="N", help="use the first N episodes")
    add("--exclude", type=numbers, metavar="N,N", help="leave these episodes out")
    add(
        "--action-range",
        nargs=2,
        type=_bound,
        metavar=("LOW", "HIGH"),
        help="map this range of the stored actions onto [-1, 1]; one number each, or one an "
        "action dimension with commas between them",
    )
    add("--clip", action="store_true", help="clip actions to [-1, 1]")
    add("--drop-rewards", action="store_true", help="read the set without its rewards")
    add(
        "--episode-length",
        type=int,
        metavar="N",
        help="every episode has N steps, where the file does not mark their ends",
    )
    add("--mask", metavar="NAME", help="the demonstrations of mask/NAME (robomimic)")
    add("--hash", metavar="SHA256", help="refuse any other set than the one with this hash")


def source_configs(arguments: argparse.Namespace) -> list[DemonstrationsConfig]:
    """The configs of all SOURCEs.

    Raises:
        ConfigError: A source is unknown or does not take an option.
    """
    texts = arguments.source if isinstance(arguments.source, list) else [arguments.source]
    return [
        locate(
            text,
            source=arguments.kind,
            fields=dict(arguments.fields),
            root=arguments.root,
            download=arguments.download or None,
            n_episodes=arguments.n_episodes,
            exclude=arguments.exclude,
            action_range=arguments.action_range,
            clip=arguments.clip or None,
            drop_rewards=arguments.drop_rewards or None,
            episode_length=arguments.episode_length,
            mask=arguments.mask,
            hash=arguments.hash,
        )
        for text in texts
    ]


def reading(arguments: argparse.Namespace) -> dict[str, Any]:
    """What was given of these options but for --hash, by name, as `option_words` takes it."""
    options: dict[str, Any] = {
        "source": arguments.kind,
        "fields": dict(arguments.fields),
        "root": arguments.root,
        "download": arguments.download,
        "n_episodes": arguments.n_episodes,
        "exclude": [*(arguments.exclude or ())],
        "action_range": tuple(arguments.action_range or ()),
        "clip": arguments.clip,
        "drop_rewards": arguments.drop_rewards,
        "episode_length": arguments.episode_length,
        "mask": arguments.mask,
    }
    return {name: value for name, value in options.items() if value}


def _assignment(text: str) -> tuple[str, str]:
    ours, _, theirs = text.partition("=")
    if not ours or not theirs:
        raise argparse.ArgumentTypeError(f"{text!r} has to read OURS=THEIRS")
    return ours, theirs


def places(text: str) -> list[tuple[int, int]]:
    """`3:41,7:0` as [(3, 41), (7, 0)].

    Raises:
        argparse.ArgumentTypeError: It does not read so.
    """
    try:
        pairs = [part.split(":") for part in text.split(",")]
        return [(int(episode), int(step)) for episode, step in pairs]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} has to read E:S or E:S,E:S,...") from error


def numbers(text: str) -> tuple[int, ...]:
    """`3,7` as (3, 7).

    Raises:
        argparse.ArgumentTypeError: It does not read so.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} has to read N or N,N,...") from error


def _bound(text: str) -> ActionBound:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} has to be numbers") from error
    return numbers if len(numbers) > 1 else numbers[0]


def chosen_episodes(chosen: tuple[int, ...] | None, demonstrations: Demonstrations) -> list[int]:
    """The episodes of `--episodes`; all without it.

    Raises:
        DataError: One of them is not there.
    """
    if chosen is None:
        return list(range(demonstrations.n_episodes))
    demonstrations.select(chosen)
    return list(chosen)
