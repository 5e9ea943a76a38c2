from __future__ import annotations

import json
import re
from dataclasses import asdict
from html.parser import HTMLParser

import pytest
import torch
from nppac_priors.errors import ConfigError
from nppac_priors.health.numbers import NUMBERS, shown_numbers
from nppac_priors.health.report import write_report, write_training
from nppac_priors.health.training import trace_training

pytestmark = pytest.mark.medium

FILES = {
    "health.html",
    "health.json",
    "variance_plane.png",
    "std_by_distance.png",
    "reliability.png",
    "trajectory.png",
}


@pytest.fixture(scope="module")
def pair(shaped):
    return {
        "steady": shaped(lambda norm: torch.full_like(norm, 0.1)),
        "<fading>": shaped(lambda norm: torch.where(norm < 5, 0.1, 1e-6)),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory, pair, split):
    """The folder of a report on both, which had to be made, and what was returned."""
    folder = tmp_path_factory.mktemp("report") / "new" / "out"
    facts = {"steady": {"fit_seconds": 1.5}}
    generator = torch.Generator().manual_seed(0)
    return folder, write_report(
        pair, split, folder, generator=generator, title="a & b", facts=facts
    )


class Page(HTMLParser):
    """Collects what a page refers to, and whether its elements are closed."""

    VOID = frozenset({"meta", "br", "img", "link"})

    def __init__(self, text):
        super().__init__()
        self.references, self.scripts, self.open = [], 0, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        names = ("src", "href", "xlink:href")
        self.references += [value for name, value in attributes if name in names]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_everything_is_written(written):
    folder, healths = written
    assert {path.name for path in folder.iterdir()} == FILES
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    assert list(healths) == ["steady", "<fading>"]
    assert [health.verdict.word for health in healths.values()] == ["healthy", "collapsed"]


def test_the_json_holds_all_numbers_and_where_they_are_from(written, split):
    folder, healths = written
    record = json.loads((folder / "health.json").read_text())
    assert record["data"]["held_out_episodes"] == list(split.held_out_indices)
    assert record["data"]["fitted_hash"] == split.fitted.data_hash
    found = record["priors"]["steady"]
    assert (found["config"]["kind"], found["fit_seconds"]) == ("shaped", 1.5)
    expected = json.loads(json.dumps(asdict(healths["steady"])))
    assert {key: found[key] for key in expected} == expected


def test_the_page_needs_nothing_but_itself(written):
    text = (written[0] / "health.html").read_text()
    page = Page(text)
    assert not page.open
    assert page.scripts == 0
    assert page.references
    assert all(value.startswith(("data:", "#")) for value in page.references)
    assert "<title>a &amp; b</title>" in text
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_the_page_tells_the_verdicts_and_every_number(written):
    text = (written[0] / "health.html").read_text()
    assert "&lt;fading&gt;" in text
    assert "<fading>" not in text
    for health in written[1].values():
        assert f">{health.verdict.word}<" in text
        for number in shown_numbers(written[1].values()):
            assert f">{number.text(health)}</td>" in text


@pytest.mark.parametrize("count", [0, 8])
def test_a_report_needs_priors_and_colours_for_them(pair, split, tmp_path, count):
    priors = {str(number): pair["steady"] for number in range(count)}
    with pytest.raises(ConfigError, match=f"1 to 7 priors, got {count}"):
        write_report(priors, split, tmp_path, generator=torch.Generator())


def test_training_is_written(shaped_config, examination, tmp_path):
    config = shaped_config(steps=2)
    trace = trace_training(config, examination, seeds=(0, 1))
    path = write_training({"a": trace}, {"a": config}, tmp_path / "out", title="line")
    assert not Page(path.read_text()).open
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    record = json.loads(path.with_suffix(".json").read_text())["priors"]["a"]
    assert (record["config"]["steps"], record["steps"], record["seeds"]) == (2, [1, 2], [0, 1])
    assert record["off_data_variance"] == [list(row) for row in trace.off_data_variance]


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.921, ".1%", "92.1 %"),
        (-0.9181, ".3f", "−0.918"),
        (2587.3, ".3g", "2,587"),
        (3.54e16, ".3g", "3.5·10¹⁶"),
        (1.2e-6, ".3g", "1.2·10⁻⁶"),
        (0.0698, ".3g", "0.0698"),
        (0.0, ".3g", "0"),
    ],
)
def test_numbers_read_well(value, form, text):
    number = NUMBERS[0]._replace(value=lambda _: value, form=form)
    assert number.text(None) == text
