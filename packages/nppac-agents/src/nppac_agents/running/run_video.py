"""A film of a run's policy: the first, the worst and the best of some evaluation episodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from nppac_envs.demonstrations.film import require_film, write_film
from nppac_envs.measures import Measures
from numpy.typing import NDArray

from nppac_agents.running.console import Console
from nppac_agents.running.filming import drawable, episode, shrink
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_evaluation import evaluate
from nppac_agents.running.run_policy import SeededActor

WIDTH = 480
SMOOTH = 25
"""Frames a second; environments that step more often are drawn at every few steps"""
DEFAULT_SPEED = 30
"""Steps a second of an environment that does not say"""
_CAPTION = 24
_SUCCESS, _PLAIN = (46, 139, 87), (60, 60, 60)


class Filmed(NamedTuple):
    """An episode of the film, with what the evaluation said of it."""

    title: str
    seed: int
    episode_return: float
    solved: bool | None
    """None where the task knows no success"""


def film(
    run_dir: RunDirectory,
    path: Path,
    policy: str | None,
    *,
    episodes: int,
    first_seed: int | None,
    console: Console,
) -> None:
    """Evaluate a policy, then play the chosen episodes again, with mean actions, and film them.

    Step and success are drawn below each frame, whose bar is green after a success.

    Args:
        run_dir: of the run.
        path: a .gif or .mp4 file.
        policy: which, as `run_policy` takes it.
        episodes: to evaluate.
        first_seed: as `evaluate` takes it.
        console: where progress goes.

    Raises:
        ConfigError: the run has no environment or no such policy, or its environment cannot draw.
        DataError: the file cannot be written, or a file of the run is damaged.
    """
    require_film(path)
    config = run_dir.config()
    evaluated = evaluate(run_dir, policy, episodes=episodes, first_seed=first_seed)
    chosen = choose(evaluated.measures, evaluated.seeds)
    assert config.env is not None, "else it is not evaluated"
    env = drawable(config.env, chosen[0].seed)
    speed = float(env.metadata.get("render_fps") or DEFAULT_SPEED)
    every = max(1, round(speed / SMOOTH))
    frames: list[NDArray[np.uint8]] = []
    try:
        with console.stage("filming", len(chosen)) as stage:
            for number, one in enumerate(chosen, start=1):
                frames += _frames(env, evaluated.policy.actor, one, every)
                stage.advance(number)
    finally:
        env.close()
    write_film(frames, path, speed / every)
    for one in chosen:
        line = f"{one.title}: seed {one.seed}, return {one.episode_return:.1f}"
        if one.solved is not None:
            line += ", success" if one.solved else ", no success"
        console.line(line)
    console.line(f"{path}: {len(frames)} frames of the policy {evaluated.policy.shown_as}")


def choose(measures: Measures, seeds: range) -> list[Filmed]:
    """The first episode, the worst and the best: by success at the end, then by return."""
    rank = np.lexsort((measures.returns, measures.success_at_end))
    wanted = {"first": 0, "worst": int(rank[0]), "best": int(rank[-1])}
    titles: dict[int, list[str]] = {}
    for title, index in wanted.items():
        titles.setdefault(index, []).append(title)
    return [
        Filmed(
            " and ".join(names) + f" of {len(seeds)}",
            seeds[index],
            float(measures.returns[index]),
            bool(measures.success_ever[index]) if measures.tells_success else None,
        )
        for index, names in titles.items()
    ]


def _frames(env: Any, actor: SeededActor, one: Filmed, every: int) -> Iterator[NDArray[np.uint8]]:
    def act(states: NDArray[Any]) -> NDArray[Any]:
        return actor.act(states, deterministic=True)

    drawn = -1
    successes: list[bool] = []
    for successes in episode(env, act, one.seed):
        if len(successes) % every == 0:
            drawn = len(successes)
            yield _captioned(env.render(), one, successes)
    if drawn != len(successes):
        yield _captioned(env.render(), one, successes)


def _captioned(image: Any, one: Filmed, successes: list[bool]) -> NDArray[np.uint8]:
    """The picture, of even size, above a bar with the episode, the step and success."""
    from PIL import Image, ImageDraw

    picture = shrink(np.asarray(image, dtype=np.uint8), WIDTH)
    height, width = (size // 2 * 2 for size in picture.shape[:2])
    now = bool(successes) and successes[-1]
    framed = np.empty((height + _CAPTION, width, 3), np.uint8)
    framed[:height] = picture[:height, :width]
    framed[height:] = _SUCCESS if now else _PLAIN
    words = f"{one.title}, seed {one.seed}, step {len(successes)}"
    canvas = Image.fromarray(framed)
    ImageDraw.Draw(canvas).text(
        (6, height + 6), f"{words}, success" if now else words, fill=(255, 255, 255)
    )
    return np.asarray(canvas)
