from __future__ import annotations

import numpy as np
import pytest
from nppac_priors.errors import ConfigError
from nppac_priors.health.training import checkpoints, trace_training


@pytest.mark.parametrize(
    ("steps", "expected"), [(1, (1,)), (2, (1, 2)), (5, (1, 2, 4, 5)), (8, (1, 2, 4, 8))]
)
def test_checkpoints_double_up_to_the_steps_of_the_config(shaped_config, steps, expected):
    assert checkpoints(shaped_config(steps=steps)) == expected


def test_a_kind_without_steps_cannot_be_followed(linear_config, examination):
    with pytest.raises(ConfigError, match="'linear' has no field steps"):
        trace_training(linear_config(), examination)


def test_every_seed_has_its_own_curve(shaped_config, examination):
    seen = []

    def progress(seed, steps):
        seen.append((seed, steps))

    trace = trace_training(shaped_config(steps=4), examination, seeds=(3, 5), progress=progress)
    assert seen == [(3, 1), (3, 2), (3, 4), (5, 1), (5, 2), (5, 4)]
    assert (trace.steps, trace.seeds) == ((1, 2, 4), (3, 5))
    expected = [[0.01, 0.01 / 4, 0.01 / 16]] * 2
    np.testing.assert_allclose(trace.off_data_variance, expected, rtol=1e-5)
    np.testing.assert_allclose(trace.on_data_variance, 0.01, rtol=1e-5)


def test_no_seed_is_a_mistake(shaped_config, examination):
    with pytest.raises(ConfigError, match="one seed or more"):
        trace_training(shaped_config(), examination, seeds=())
