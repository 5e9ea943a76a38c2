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
