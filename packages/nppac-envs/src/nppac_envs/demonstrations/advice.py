"""`ADVICE`: every kind of finding of `doctor`, and what can be done about it.

A kind has one line of advice for each option of `nppac-demos` that can end it, and under "" what
there is to know or to do elsewhere, where none of them can.
"""

from __future__ import annotations

_RANGE = "put theirs in the place of these numbers, which follow from what was recorded"

ADVICE: dict[str, dict[str, str]] = {
    # What keeps a set from being read.
    "unusable episodes": {"exclude": "leave them out"},
    "unknown ends": {
        "episode_length": "states jump after every so many rows, as where an episode begins: if "
        "all episodes have as many",
    },
    "not finite": {
        "drop_rewards": "read the set without rewards, if only states and actions are needed, "
        "as by priors",
        "exclude": "leave them out",
        "": "every episode has some: write the set again without the steps that have them, or with "
        "a column in another unit that float32 can hold",
    },
    "out of range": {
        "clip": "if the simulator clipped them when they were recorded",
        "action_range": f"if the actuators have another range than [-1, 1]: {_RANGE}",
        "": "they are clipped when the set is read",
    },
    # What only the reader of a layout sees.
    "left out": {
        "fields": "if it belongs to the state",
        "": "if it belongs to the state, write the set again with it in the states",
    },
    "first download": {
        "": "nothing to do if you put its files there or removed the record beside them yourself; "
        "else compare them with those that are published",
    },
    "declared range": {
        "action_range": "if the actuators have another range, put theirs in the place of these "
        "numbers, which are the declared ones",
    },
    "mapped range": {
        "": "look whether it is that of the actuators: what was mapped from a wrong one looks like "
        "any other set",
    },
    "holes in time": {
        "exclude": "leave these episodes out",
        "cut": "begin a new episode after each hole",
    },
    "episode boundaries": {
        "episode_length": "they are missing after every so many rows",
        "cut": "begin a new episode after each of these steps",
    },
    # Actions.
    "narrow actions": {
        "action_range": f"if the actuators have another range than [-1, 1]: {_RANGE}",
    },
    "narrow dimensions": {
        "action_range": "if they have units of their own, as a gripper in metres beside joints in "
        "[-1, 1] has: put their range in the place of these numbers, which follow from what was "
        "recorded",
    },
    "saturated actions": {
        "action_range": "clipping did it; if the actuators have another range than [-1, 1]: "
        + _RANGE,
        "": "a Gaussian prior cannot follow hard bounds: check that the controller was not "
        "saturated, and that the actuators have the range that is mapped onto [-1, 1]",
    },
    "dead actions": {
        "": "check which numbers are read as actions, and their units: nothing was done with these",
    },
    "other range": {
        "action_range": "if the actuators are the environment's and the numbers meant its units, "
        "map them again; nothing is to be done where the units are others",
        "": "read the file again with the environment's own range, if the numbers meant its units",
    },
    # Success.
    "success": {
        "judge": "decide it by the task's rule",
        "": "record it, or say nothing of it: no task with a rule for it has states and actions "
        "like these",
    },
    "failed episodes": {
        "only_successful": "look at them, and leave them out if they teach nothing",
        "": "look whether success was recorded as it should be, or record episodes that succeed",
    },
    "shifted success": {
        "judge": "decide it by the rule; rewards that are late, too, are to be moved up one row in "
        "the file",
    },
    "success rule": {"judge": "trust one of them: this takes the rule"},
    # States.
    "duplicated states": {
        "drop_repeats": "sensors that were read slower than actions were sent, or an idle start: "
        "keep the last step of each run of equal states",
    },
    "dead states": {
        "": "a prior learns nothing from them; they are harmless if they are always so",
    },
    "far out": {
        "exclude": "put right values there, since one reading ruins the scale of its dimension, or "
        "leave out the episodes, with those that stand out without them",
        "": "put right values there, since one reading ruins the scale of its dimension",
    },
    "spikes": {
        "": "contacts and impacts make them in so many episodes; if sensors do, put right values "
        "there",
    },
    "lost in float32": {
        "": "subtract its start, or an offset that is the same everywhere, and write the set again",
    },
    # Episodes.
    "odd lengths": {"exclude": "look whether they were cut or run together, or leave them out"},
    "duplicated episodes": {"exclude": "keep the first of those that are equal"},
    "jumps": {"cut": "if episodes end there, begin a new one after each of these steps"},
    "cut episodes": {"join": "if they are parts of longer episodes, join them"},
    # Simulations.
    "start states": {
        "first_seed": "the seeds are others: they begin at this one",
        "": "the set is of another task or version, did not begin at rest, or has other seeds",
    },
    "replay drift": {
        "": "open loop this is normal after contact; much earlier than that, the physics are "
        "another's",
    },
    "replay outcome": {
        "judge": "take what this simulator reports",
        "": "the simulator is not the one of the recording: do not mix this set with new data "
        "without a thought",
    },
}
"""Words by kind and by option, a field of a source's config or an option of `convert`."""
