"""Episodes that lie end to end, cut into the arrays of `Demonstrations`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.checks import check_lengths, check_shapes
from nppac_envs.demonstrations.dataset import PER_EPISODE, PER_SET
from nppac_envs.demonstrations.findings import Finding, cutting, episode_list
from nppac_envs.errors import DataError, EpisodesError


def arrays_of_steps(
    columns: Mapping[str, NDArray[Any] | None],
    ends: NDArray[np.integer],
    where: str,
    *,
    exclude: Collection[int] = (),
    next_states: NDArray[Any] | None = None,
    terminals: NDArray[np.bool_] | None = None,
) -> dict[str, NDArray[Any]]:
    """The arrays of `Demonstrations`, from one row a step.

    Args:
        columns: `states`, `actions` and, unless they are None, `rewards` and `successes`.
        ends: (E,) the row after each episode's last one; ascending, the last is N.
        where: Named in messages.
        exclude: Episodes that will be left out, whatever their length.
        next_states: (N, S) the state after each step. None: each episode's last step is used up,
            its state becomes the final state and its action is dropped (`without_last_steps`).
        terminals: (N,) whether a step led to a terminal state.

    Raises:
        DataError: The shapes do not fit, or an episode is used up.
    """
    arrays = {name: column for name, column in columns.items() if column is not None}
    lengths = np.diff(ends, prepend=0)
    last = ends - 1
    if next_states is not None:
        arrays["final_states"] = next_states[last]
        arrays["episode_lengths"] = lengths
        if terminals is not None and terminals[last].any():
            arrays["terminations"] = terminals[last]
        return arrays
    return without_last_steps(arrays | {"episode_lengths": lengths}, where, exclude)


def ends_of_length(length: int, steps: int, where: str) -> NDArray[np.int64]:
    """(E,) the row after each episode's last one, when all are of one length.

    Raises:
        DataError: The steps are not as many as whole episodes have.
    """
    if steps % length:
        raise DataError(f"{where}: {steps} steps are no whole episodes of {length}")
    return np.arange(length, steps + 1, length)


def without_last_steps(
    arrays: Mapping[str, NDArray[Any]], where: str, exclude: Collection[int] = ()
) -> dict[str, NDArray[Any]]:
    """Turn each episode's last state into its final state, to which the step before it leads.

    The last action and its reward go; that it succeeded stays, with the step before it, and
    `moved_successes` says where that had none of its own.

    Args:
        arrays: The arrays of `Demonstrations` without `final_states`.
        where: Named in messages.
        exclude: Episodes that will be left out; one of a single step stays as it is until then.

    Raises:
        DataError: The shapes do not fit.
        EpisodesError: An episode has a single step.
    """
    states, lengths = np.atleast_1d(arrays["states"]), arrays["episode_lengths"]
    check_lengths(lengths, len(states), where)
    last = np.cumsum(lengths) - 1
    check_shapes({**arrays, "final_states": states[last]}, where)
    single = np.flatnonzero(lengths < 2).tolist()
    if not set(single) <= set(exclude):
        raise EpisodesError(
            f"{where}: episode {single[0]} has one step; without final states every episode needs "
            "two steps or more, as the last one is used up; add final states",
            single,
            [*exclude],
        )
    used_up = np.delete(last, single)
    rows = {name: of for name, of in arrays.items() if name not in (*PER_EPISODE, *PER_SET)}
    moved = np.zeros(len(lengths), np.bool_)
    if "successes" in rows:
        rows["successes"], moved[lengths > 1] = success_kept(rows["successes"], used_up)
    kept = {name: np.delete(array, used_up, axis=0) for name, array in rows.items()}
    kept |= {"moved_successes": moved} if moved.any() else {}
    kept |= {name: arrays[name] for name in PER_SET if name in arrays}
    shorter = np.maximum(lengths - 1, 1)
    return kept | {"final_states": states[last], "episode_lengths": shorter}


def success_kept(
    successes: NDArray[Any], used_up: NDArray[np.integer]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Flags (N,) in which a success of a step that is used up is one of the step before it.

    Many recorders end an episode with its first success, which would be lost with the last step.

    Returns:
        The flags, and for each of the steps that are used up whether the one before had none.
    """
    kept = successes.copy()
    kept[used_up - 1] = np.maximum(successes[used_up - 1], successes[used_up])
    return kept, kept[used_up - 1] != successes[used_up - 1]


def torn_finding(
    states: NDArray[Any],
    next_states: NDArray[Any],
    ends: NDArray[np.integer],
    excluded: Collection[int] = (),
) -> Iterator[Finding]:
    """Whether the state after a step is the next row's, as it is in an episode that goes on.

    Args:
        states: (N, S).
        next_states: (N, S) as they are stored.
        ends: (E,) the row after each episode's last one.
        excluded: Episodes that are left out already, and in which nothing is looked for.
    """
    differs = np.abs(states[1:] - next_states[:-1]).max(axis=1) > 1e-4 * np.ptp(states)
    differs[ends[:-1] - 1] = False
    torn = np.flatnonzero(differs)
    owner = np.searchsorted(ends, torn, side="right")
    looked_at = ~np.isin(owner, [*excluded])
    torn, owner = torn[looked_at], owner[looked_at]
    if torn.size:
        lengths = np.diff(np.union1d(torn + 1, ends), prepend=0)
        starts = np.append(0, ends[:-1])
        regular = not excluded and (lengths == lengths[0]).all()
        yield Finding(
            "error",
            "episode boundaries",
            f"the state after a step is not that of the next row in {torn.size:,} steps within "
            f"{episode_list(np.unique(owner))} (the first after row {torn[0]}): boundaries are "
            "missing there, or rows",
            (
                {"episode_length": int(lengths[0])}
                if regular
                else cutting(zip(owner, torn - starts[owner], strict=True)),
            ),
        )
