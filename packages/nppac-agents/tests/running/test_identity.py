from pathlib import Path

import pytest
from nppac_agents.running.identity import RunIdentity
from nppac_priors.errors import DataError

FIELDS = {"run_id": "a", "seed": 3, "demonstrations_hash": "d", "prior_hash": "p"}


def test_an_earlier_versions_identity_is_read_and_resumes_nowhere():
    old = RunIdentity.of(FIELDS | {"config_hash": "c"})
    assert (old.run_id, old.prior_hash) == ("a", "p")
    with pytest.raises(DataError, match=r"^x: was written by an earlier version, whose runs"):
        old.require_same(RunIdentity.of(FIELDS | {"learning_hash": "c"}), Path("x"))


def test_other_settings_are_named():
    one, other = (RunIdentity.of(FIELDS | {"learning_hash": text}) for text in ("c", "e"))
    one.require_same(one, Path("x"))
    with pytest.raises(DataError, match="settings with hash c, not e"):
        one.require_same(other, Path("x"))
