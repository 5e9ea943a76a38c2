from nppac_agents.running.selection import Selection


def chosen(values, over):
    selection = Selection("return_mean", over)
    kept = [selection.prefers({"return_mean": value}) for value in values]
    return selection.best, kept


def test_the_first_policy_is_kept_until_a_better_one_comes():
    assert chosen([5.0, 1.0, 2.0], over=1) == (0, [True, False, False])
    assert chosen([5.0, 6.0, 2.0], over=1) == (1, [True, True, False])


def test_of_equally_good_ones_the_later_is_kept():
    assert chosen([1.0, 1.0, 0.0], over=1)[0] == 1


def test_one_good_evaluation_among_poor_ones_is_not_enough():
    values = [5.0, 1.0, 1.0, 9.0, 1.0]
    assert chosen(values, over=1)[0] == 3
    assert chosen(values, over=3)[0] == 0


def test_the_mean_is_over_the_latest():
    assert chosen([0.0, 0.0, 6.0, 6.0, 6.0, 3.0], over=3)[0] == 4


def test_a_measure_that_nobody_has_counts_as_zero():
    assert chosen([-1.0, None], over=1)[0] == 1


def test_a_resumed_run_knows_what_was_kept():
    values = [5.0, 1.0, 9.0, 9.0]
    whole, resumed = Selection("return_mean", 2), Selection("return_mean", 2)
    for value in values:
        whole.prefers({"return_mean": value})
    resumed.replay({"return_mean": value} for value in values[:2])
    for value in values[2:]:
        resumed.prefers({"return_mean": value})
    assert resumed.best == whole.best == 3
