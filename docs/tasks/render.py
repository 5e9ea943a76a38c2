"""Draws the frames of the task pages: the start of an episode, seed 0.

MUJOCO_GL=egl python docs/tasks/render.py
"""

from __future__ import annotations

from pathlib import Path

from nppac_envs.plugin import nppac_env_configs
from PIL import Image

SIZE = 320


def main() -> None:
    """Write one PNG a task beside the pages."""
    folder = Path(__file__).parent / "frames"
    for config_class in nppac_env_configs():
        config = config_class()
        env = config.make(render_mode="rgb_array")
        env.reset(seed=0)
        frame = Image.fromarray(env.render()).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        frame.quantize(128).save(folder / f"{config.kind}.png", optimize=True)
        env.close()


if __name__ == "__main__":
    main()
