import pytest
from nppac_agents.spaces import Spaces


@pytest.mark.parametrize(
    ("rewards", "values"),
    [
        ((0.0, 1.0), (0.0, 10.0)),
        ((-1.0, 0.0), (-10.0, 0.0)),
        ((-2.0, 3.0), (-20.0, 30.0)),
        ((1.0, 2.0), (1.0, 20.0)),
        ((-2.0, -1.0), (-20.0, -1.0)),
    ],
)
def test_values_lie_between_those_of_one_step_and_of_endless_ones(spaces, rewards, values):
    assert spaces._replace(rewards=rewards).value_range(0.9) == pytest.approx(values)


def test_unknown_rewards_bound_nothing(spaces):
    assert isinstance(spaces, Spaces)
    assert spaces.value_range(0.9) is None
