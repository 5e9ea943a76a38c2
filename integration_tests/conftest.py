"""Packages under `third_party` are not installed here; `test_third_party.py` runs their tests."""

from __future__ import annotations

collect_ignore = ["third_party"]
