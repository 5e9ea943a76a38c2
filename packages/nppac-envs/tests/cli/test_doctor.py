from __future__ import annotations

import json

import numpy as np


def test_findings_and_codes(nppac_demos, make_arrays, tmp_path):
    arrays = make_arrays(lengths=(4, 4)) | {"successes": np.arange(8) == 3}
    np.savez(tmp_path / "set.npz", **arrays)
    result = nppac_demos("doctor", "set.npz")
    assert result.code == 0
    assert "warning:  failed episodes: 1 of 2 episodes succeed; episode 1 does not" in result.out
    assert result.out.splitlines()[-1] == "npz set.npz: 1 warning"
    arrays["actions"][0, 0] = 3
    np.savez(tmp_path / "set.npz", **arrays)
    result = nppac_demos("doctor", "set.npz", "--json")
    assert result.code == 1
    assert [finding["level"] for finding in json.loads(result.out)] == ["error", "warning"]


def test_what_cannot_be_read(nppac_demos, tmp_path):
    (tmp_path / "set.npz").write_bytes(b"PK")
    result = nppac_demos("doctor", "set.npz")
    assert (result.code, len(result.err)) == (2, 1)


def test_a_clean_set(nppac_demos):
    result = nppac_demos("doctor", "door", "--task", "door")
    assert (result.code, result.err) == (0, [])
    assert "error" not in result.out


def test_a_task_that_nobody_offers(nppac_demos):
    result = nppac_demos("doctor", "door", "--task", "dor")
    assert (result.code, len(result.err)) == (2, 1)
    assert "'dor' is unknown" in result.err[0]


def test_a_range_that_is_advised_is_the_environments_where_it_is_known(nppac_demos, lab_arm):
    """Torques of -3 to 5 and 0 to 2: the largest of what was demonstrated is another range."""
    rng = np.random.default_rng(0)
    arrays = {
        "states": rng.normal(size=(40, 2)).astype(np.float32),
        "actions": rng.uniform((-2.5, 0.2), (4.0, 1.9), (40, 2)).astype(np.float32),
        "episode_lengths": np.array([20, 20]),
    }
    np.savez("set.npz", **arrays)
    guessed = json.loads(nppac_demos("doctor", "set.npz", "--json").out)
    arm = ["--task", "gymnasium", "--set", "id=lab_arm:LabArm-v0"]
    known = json.loads(nppac_demos("doctor", "set.npz", *arm, "--json").out)

    def ranges(findings):
        (found,) = (f for f in findings if f["topic"] == "out of range")
        return [a["command"] for a in found["advice"] if "--action-range" in a["command"]]

    (guess,), (own,) = ranges(guessed), ranges(known)
    assert "--action-range -3,0 5,2" in own.replace(".0", "")
    assert "-3,0" not in guess.replace(".0", "")
    np.savez("set.npz", **arrays | {"actions": 2 * arrays["actions"]})
    beyond = json.loads(nppac_demos("doctor", "set.npz", *arm, "--json").out)
    assert "-3,0" not in ranges(beyond)[0].replace(".0", ""), "some are beyond the bounds"
