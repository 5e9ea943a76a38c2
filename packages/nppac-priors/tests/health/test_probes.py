from __future__ import annotations

import numpy as np
import pytest
import torch
from nppac_priors.health.probes import SCALES, STATES_PER_SCALE, Distances, make_probes


@pytest.fixture
def states():
    draw = np.random.default_rng(1)
    values = draw.standard_normal((60, 3)) * [1.0, 50.0, 0.02] + [0.0, 300.0, -1.0]
    return np.column_stack([values, np.full(60, 0.7)])


def probes_of(states, seed=0):
    return make_probes(states, Distances(states), generator=torch.Generator().manual_seed(seed))


def test_distance_is_the_smallest_of_all(states):
    queries = states[:20] + np.random.default_rng(2).standard_normal((20, 4))
    scaled = (queries[:, None, :3] - states[None, :, :3]) / states[:, :3].std(axis=0)
    expected = np.sqrt(np.square(scaled).sum(-1)).min(axis=1)
    np.testing.assert_allclose(Distances(states).nearest(queries), expected, rtol=1e-9)


def test_a_demonstration_state_is_at_distance_zero(states):
    assert not Distances(states).nearest(states).any()


def test_distance_does_not_depend_on_units(states):
    units = np.array([1e3, 1e-2, 7.0, 1.0])
    queries = states + 1.0
    expected = Distances(states).nearest(queries)
    np.testing.assert_allclose(Distances(states * units).nearest(queries * units), expected)


def test_constant_dimensions_are_never_moved(states):
    probes = probes_of(states)
    assert probes.dimensions == 3
    assert (probes.states[:, 3] == np.float32(0.7)).all()


def test_probes_start_on_the_data_and_go_far(states):
    probes = probes_of(states)
    assert len(probes.states) == len(SCALES) * STATES_PER_SCALE
    on = probes.states[probes.on_data]
    assert set(map(tuple, on)) <= set(map(tuple, states.astype(np.float32)))
    assert probes.distance[probes.on_data].max() < 1e-4
    by_scale = probes.distance.reshape(len(SCALES), -1)
    assert np.median(by_scale, axis=1)[-1] > 100
    assert (np.diff(np.median(by_scale, axis=1)) > 0).all()


def test_the_same_states_go_the_same_ways_at_every_scale(states):
    moves = probes_of(states).states.reshape(len(SCALES), STATES_PER_SCALE, 4).astype(float)
    steps = (moves[1:] - moves[:1]) / np.array(SCALES)[1:, None, None]
    np.testing.assert_allclose(
        steps[5:, :, :3],
        np.broadcast_to(steps[-1:, :, :3], steps[5:, :, :3].shape),
        rtol=2e-2,
        atol=2e-2,
    )


def test_probes_follow_their_generator(states):
    np.testing.assert_array_equal(probes_of(states).states, probes_of(states).states)
    assert (probes_of(states).states != probes_of(states, seed=1).states).any()
