import torch
from nppac_agents.running.seeds import Seeds


def first_draws(seed):
    environments, *generators = Seeds.of(seed)
    return [environments, *(int(torch.randint(2**31, (), generator=g)) for g in generators)]


def test_one_seed_gives_every_part_the_same_stream_again():
    assert first_draws(3) == first_draws(3)


def test_no_two_parts_and_no_two_seeds_share_a_stream():
    draws = [draw for seed in range(20) for draw in first_draws(seed)]
    assert len(set(draws)) == len(draws) == 20 * 5


def test_the_environments_seed_is_one_that_gymnasium_takes():
    assert all(0 <= Seeds.of(seed).environments < 2**31 for seed in range(200))
