import io
import json

import pytest
from nppac_agents.running.export import export
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.policy_card import NO_LICENCE, page
from nppac_priors.tensor_file import checksum

pytestmark = pytest.mark.medium


def exported(run_dir, folder, **options):
    """The card and the page of a run's last policy."""
    export(run_dir, folder, "last", PlainConsole(io.StringIO()), with_alarm=False, **options)
    return json.loads((folder / "card.json").read_text()), (folder / "README.md").read_text()


def test_the_card_says_data_checksums_and_licence_and_no_path_of_the_machine(finished, tmp_path):
    folder = tmp_path / "policy"
    card, page = exported(finished, folder, licence="CC BY 4.0,\nwithout warranty")
    demonstrations = finished.config().demonstrations.load()
    assert card["licence"] == "CC BY 4.0, without warranty"
    assert card["demonstrations"]["path"] == "point.npz"
    assert card["demonstrations"]["episodes"] == demonstrations.n_episodes
    assert card["demonstrations"]["steps"] == len(demonstrations)
    files = ("policy.safetensors", "prior.safetensors")
    assert card["checksums"] == {name: checksum(folder / name) for name in files}
    for text in (json.dumps(card), page):
        assert str(tmp_path) not in text
        assert str(finished.path) not in text


def test_the_page_tells_what_the_card_does(finished, tmp_path):
    card, page = exported(finished, tmp_path / "policy")
    assert card["licence"] == NO_LICENCE
    low, high = card["intervals"]["success_ever"]
    shown = f"{card['measures']['success_ever']:.2f} [{low:.2f}, {high:.2f}]"
    assert f"| Success at any step | {shown} |" in page
    assert "Over 6 episodes, reset seeds from 10000." in page
    for told in (NO_LICENCE, card["demonstrations_hash"], *card["checksums"].values()):
        assert told in page
    assert page.startswith("---\nlibrary_name: nppac-priors\n")


def test_the_page_tells_of_data_and_prior_what_is_set(finished, tmp_path):
    floor = {"kind": "variance-floor", "prior": {"kind": "file", "path": "gp.safetensors"}}
    card, _ = exported(finished, tmp_path / "policy")
    shown = page(card | {"prior": floor, "env": {"kind": "gymnasium", "id": "my_arm:Arm"}})
    assert "| prior | kind variance-floor, prior (kind file, path gp.safetensors) |" in shown
    assert "# my_arm:Arm: a policy of `nppac`" in shown
    data = f"source npz, path point.npz, episodes {card['demonstrations']['episodes']}"
    assert f"| demonstrations | {data}, steps " in shown
    card["demonstrations"] |= {"hash": "f" * 64}
    card["demonstrations"]["fields"]["states"] = "obs"
    assert "f" * 64 not in page(card), "it is told in a line of its own"
    assert "path point.npz, fields (states obs), episodes" in page(card)


def test_a_policy_that_was_not_measured_says_so(finished, tmp_path):
    summary = finished.summary()
    (finished.path / "summary.json").write_text(json.dumps({**summary, "reported": None}))
    _, page = exported(finished, tmp_path / "policy")
    assert "Not measured." in page
    assert "Success at any step" not in page
