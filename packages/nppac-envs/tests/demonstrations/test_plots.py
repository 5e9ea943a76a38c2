from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nppac_envs import ConfigError, DataError, Demonstrations
from nppac_envs.demonstrations.plots import plot, principal_components

pytestmark = pytest.mark.medium

pytest.importorskip("matplotlib")


def test_components_against_a_singular_value_decomposition():
    rng = np.random.default_rng(0)
    states = (rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6))).astype(np.float32)
    places, shares, weights = principal_components(states)
    standard = (states - states.mean(0)) / states.std(0)
    _, singular, directions = np.linalg.svd(standard.astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(shares, singular[:2] ** 2 / (singular**2).sum(), rtol=1e-4)
    np.testing.assert_allclose(np.abs(weights), np.abs(directions[:2]), atol=1e-4)
    np.testing.assert_allclose(np.abs(places), np.abs(standard @ directions[:2].T), atol=1e-3)


def test_dead_and_single_dimensions():
    places, shares, _ = principal_components(np.ones((5, 3), np.float32))
    assert not places.any()
    assert not shares.any()
    places, shares, _ = principal_components(np.arange(5, dtype=np.float32)[:, None])
    np.testing.assert_allclose(shares, [1.0, 0.0])
    assert not places[:, 1].any()


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_pictures(demonstrations: Demonstrations, tmp_path: Path, suffix: str):
    plot(demonstrations, tmp_path / f"set{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [f"set{suffix}"]
    start = (tmp_path / f"set{suffix}").read_bytes()[:8]
    assert start.startswith({".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix])


def test_mistakes(demonstrations: Demonstrations, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"must end in .png, .pdf, .svg"):
        plot(demonstrations, tmp_path / "set.bmp")
    with pytest.raises(DataError, match="cannot be written"):
        plot(demonstrations, tmp_path / "no" / "set.png")
