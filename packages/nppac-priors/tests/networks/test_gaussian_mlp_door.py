"""The pathology of the paper on its own demonstrations, door-human; it has to be there."""

from __future__ import annotations

import pytest
import torch
from nppac_priors import GaussianMLPConfig
from torch import Tensor

pytestmark = pytest.mark.slow

DISTANCES = (0.0, 1.0, 2.0, 5.0)


class Door:
    """Demonstrations, and 300 of their states moved away from them.

    Attributes:
        moved: The states moved by each of `DISTANCES`, in standard deviations of each dimension.
    """

    def __init__(self, states: Tensor, actions: Tensor) -> None:
        self.states, self.actions = states, actions
        generator = torch.Generator().manual_seed(0)
        start = states[torch.randint(len(states), (300,), generator=generator)]
        direction = torch.randn(start.shape, generator=generator) * states.std(0)
        self.moved = [start + distance * direction for distance in DISTANCES]

    def stds(self, steps: int, seed: int, **fields: float) -> list[Tensor]:
        """Std (300,), averaged over actions, at each distance, after so many steps."""
        config = GaussianMLPConfig(
            hidden=(128, 128), steps=steps, learning_rate=1e-3, held_out_share=0.0, **fields
        )
        generator = torch.Generator().manual_seed(seed)
        prior = config.fit(self.states, self.actions, generator=generator)
        return [prior.moments(states)[1].mean(1) for states in self.moved]


@pytest.fixture(scope="module")
def door(real_data) -> Door:
    h5py = pytest.importorskip("h5py")
    with h5py.File(real_data / "minari/door/human-v0/data/main_data.hdf5") as file:
        episodes = [file[f"episode_{index}"] for index in range(len(file))]
        actions = [torch.as_tensor(e["actions"][:]) for e in episodes]
        states = [torch.as_tensor(e["observations"][: len(e["actions"])]) for e in episodes]
    return Door(torch.cat(states).float(), torch.cat(actions).float())


@pytest.mark.parametrize("tikhonov", [0.0, 0.01])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_variance_off_the_data_falls_as_training_goes_on(door, seed, tikhonov) -> None:
    """Figure 4."""
    stds = [door.stds(steps, seed, tikhonov=tikhonov) for steps in (20, 80, 320)]
    for at_distance in (2, 3):
        variances = [std[at_distance].square().mean().item() for std in stds]
        assert variances[0] > variances[1] > variances[2]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"entropy_weight": 0.5},
        {"entropy_weight": 0.5, "target_entropy": -0.5},
        {"tikhonov": 0.01},
        {"tikhonov": 0.1},
    ],
)
def test_the_variance_falls_with_distance_with_and_without_the_penalties(door, fields) -> None:
    stds = door.stds(320, 0, **fields)
    variances = [std.square().mean().item() for std in stds]
    assert sorted(variances, reverse=True) == variances
    assert variances[-1] < 0.05 * variances[0]
    collapsed = (stds[-1] < stds[0].median()).float().mean().item()
    assert collapsed > 0.95


def test_an_entropy_bonus_widens_the_std_on_the_data(door) -> None:
    plain, bonus = door.stds(320, 0)[0], door.stds(320, 0, entropy_weight=0.5)[0]
    assert bonus.median() > 1.2 * plain.median()
