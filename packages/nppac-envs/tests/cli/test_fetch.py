from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from nppac_envs import NpzConfig
from nppac_envs.demonstrations import public_sets
from nppac_envs.demonstrations.public_sets import PublicSet


@pytest.fixture(autouse=True)
def theirs(nppac_demos, demonstrations, monkeypatch):
    """A set in a file of this folder, under the name of a published one."""
    demonstrations.save_npz("release.npz")
    settings = {"source": "npz", "path": "release.npz"}
    monkeypatch.setitem(
        public_sets.PUBLIC_SETS, "theirs", PublicSet(settings, "https://x", 3, (5, 2))
    )


def test_a_set_is_written_under_its_name(nppac_demos, demonstrations):
    result = nppac_demos("fetch", "theirs")
    assert result.code == 0, result.err
    assert "wrote theirs.npz" in result.out
    assert "  as written down: episodes and dimensions alone\n" in result.out
    assert "its hash was not written down before" in result.out
    assert NpzConfig(path="theirs.npz").load().hash == demonstrations.hash


def test_what_was_compared_is_said_where_it_is_not_all(nppac_demos, demonstrations, monkeypatch):
    def said(**known: object) -> str:
        public = dataclasses.replace(public_sets.PUBLIC_SETS["theirs"], **known)
        monkeypatch.setitem(public_sets.PUBLIC_SETS, "whole", public)
        out = nppac_demos("fetch", "whole").out
        Path("whole.npz").unlink()
        return out

    assert "  as written down: episodes, dimensions and steps alone\n" in said(steps=8)
    assert "written down" not in said(hash=demonstrations.hash)


def test_a_set_that_differs_from_what_the_first_fetch_wrote_is_refused(nppac_demos, demonstrations):
    nppac_demos("fetch", "theirs")
    again = nppac_demos("fetch", "theirs")
    assert again.code == 0, again.err
    assert "written down" not in again.out
    changed = dataclasses.replace(demonstrations, states=demonstrations.states + 1)
    changed.save_npz("release.npz")
    result = nppac_demos("fetch", "theirs")
    assert (result.code, len(result.err)) == (2, 1)
    assert f"theirs.npz: holds the set of hash {demonstrations.hash}" in result.err[0]
    assert f"fetched now has {changed.hash}" in result.err[0]
    assert NpzConfig(path="theirs.npz").load().hash == demonstrations.hash
    assert nppac_demos("fetch", "theirs", "--output", "new.npz").code == 0


def test_without_a_name_the_sets_are_listed(nppac_demos):
    lines = nppac_demos("fetch").out.splitlines()
    rows = [line.split() for line in lines]
    assert ["door-human", "25", "6729", "-", "minari", "D4RL/door/human-v2"] in rows
    assert ["door-dapg", "25", "6704", "yes", "dapg", "door-v0_demos.pickle"] in rows
    assert ["theirs", "3", "-", "-", "npz", "release.npz"] in rows
    assert max(map(len, lines)) <= 80


def test_mistakes_are_one_line(nppac_demos):
    for argv in (["no"], ["theirs", "--output", "x.hdf5"]):
        result = nppac_demos("fetch", *argv)
        assert (result.code, len(result.err)) == (2, 1)
