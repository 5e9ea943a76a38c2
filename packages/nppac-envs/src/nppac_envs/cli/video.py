"""`nppac-demos video`: episodes as a GIF or MP4 file."""

from __future__ import annotations

import argparse

from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.source_options import chosen_episodes, source_configs
from nppac_envs.cli.task import chosen_task
from nppac_envs.demonstrations.video import write_video


def video(arguments: argparse.Namespace) -> int:
    """Write a video and say what is in it."""
    demonstrations = source_configs(arguments)[0].load()
    env = chosen_task(arguments.task, arguments)
    episodes = chosen_episodes(arguments.episodes, demonstrations)
    frames = write_video(
        demonstrations,
        env,
        episodes,
        arguments.output,
        every=arguments.every,
        size=arguments.size,
        first_seed=arguments.first_seed,
    )
    print(f"wrote {arguments.output}: {len(episodes)} episodes, {frames} frames")
    return ExitCode.DONE
