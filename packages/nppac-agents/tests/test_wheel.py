from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.medium


def test_the_wheel_holds_schema_examples_and_templates(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "schema/experiment.schema.json",
        "examples/quickstart.json",
        "examples/figures/figure-1.json",
        "reporting/templates/report.html",
    ):
        assert f"nppac_agents/{name}" in names
