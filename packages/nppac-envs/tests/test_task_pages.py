"""Every task has a page that agrees with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nppac_envs.plugin import TASKS

PAGES = Path(__file__).resolve().parents[3] / "docs" / "tasks"

pytestmark = pytest.mark.skipif(not PAGES.is_dir(), reason="no docs beside the package")


@pytest.mark.parametrize("config_class", TASKS, ids=lambda c: c.model_fields["kind"].default)
def test_the_page_has_the_tasks_sizes_settings_and_frame(config_class: Any):
    config = config_class()
    page = (PAGES / f"{config.kind}.md").read_text()
    env = config.make()
    assert f"`{config_class.__name__}`" in page
    assert f"`{config_class.gymnasium_id}`" in page
    assert f"`horizon`: {config.horizon}" in page
    assert f", {env.observation_space.shape[0]}" in page
    assert f"Action, {env.action_space.shape[0]}" in page
    assert f"![The start of an episode](frames/{config.kind}.png)" in page
    assert (PAGES / "frames" / f"{config.kind}.png").is_file()
    for name in config_class.model_fields.keys() - {"kind"}:
        assert f"`{name}`" in page, f"{name} is not described"


def test_the_table_links_every_page():
    table = (PAGES / "README.md").read_text()
    for config_class in TASKS:
        kind = config_class.model_fields["kind"].default
        assert f"[`{kind}`]({kind}.md)" in table
