from __future__ import annotations

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from nppac_agents.metric_names import METRICS
from nppac_agents.reporting.frames import Frames
from nppac_agents.reporting.report import write_report
from nppac_priors.errors import DataError

pytestmark = pytest.mark.medium

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Every element of a page: its tag, its attributes, and the text right within it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)
        assert not self._open, "unclosed elements"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data):
        if self._open:
            self.elements[self._open[-1]][2].append(data)

    def named(self, tag):
        return [(attributes, "".join(text)) for t, attributes, text in self.elements if t == tag]

    def notices(self):
        return [text for attributes, text in self.named("p") if attributes["class"] == "notice"]


@pytest.fixture(autouse=True)
def without_plots(monkeypatch):
    """Pages alone; `reported_run`, which comes before, has its plots."""
    monkeypatch.setattr("nppac_agents.reporting.report._write_plots", lambda run, panels: None)


@pytest.fixture(scope="module")
def page(reported_run):
    return Page(reported_run / "report.html")


def shown_number(text: str) -> tuple[float, float]:
    """A printed number or duration, and half a unit of its last digit."""
    if ":" in text:
        seconds = 0
        for part in text.split(":"):
            seconds = 60 * seconds + int(part)
        return float(seconds), 0.5
    plain = text.replace(",", "")
    decimals = len(plain.partition(".")[2])
    return float(plain), 0.5 * 10**-decimals


def test_every_number_is_the_one_in_the_metrics_file(page, reported_run):
    lines = (reported_run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    numbers = page.named("data")
    for attributes, text in numbers:
        assert attributes["data-source"] == "metrics"
        value = json.loads(lines[int(attributes["data-event"])])[attributes["data-field"]]
        assert json.loads(attributes["value"]) == value
        shown, tolerance = shown_number(text)
        assert shown == pytest.approx(value, abs=tolerance + 1e-9)
    headline, protocol, reported, evaluations = 4, 5, 6, 9
    assert len(numbers) == headline + protocol + reported + 9 * evaluations


def test_headline_goes_from_the_first_to_the_last_evaluation(page, reported_run):
    lines = (reported_run / "metrics.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    first, *_, last = [i for i, event in enumerate(events) if event["event"] == "evaluation"]
    numbers = page.named("data")[:4]
    shown = [(int(a["data-event"]), a["data-field"]) for a, _ in numbers]
    assert shown == [
        (first, "success_ever"),
        (last, "success_ever"),
        (first, "success_at_end"),
        (last, "success_at_end"),
    ]


def test_the_reported_result_is_that_of_the_reporting_starts(page, reported_run):
    lines = (reported_run / "metrics.jsonl").read_text().splitlines()
    last = len(lines) - 1
    event = json.loads(lines[last])
    numbers = page.named("data")
    shown = {a["data-field"]: text for a, text in numbers if a["data-event"] == str(last)}
    assert shown["success_ever"] == f"{event['success_ever']:.2f}"
    assert shown["episodes"] == "200"
    assert "reset seeds 10000 to 10199" in page.text
    low, high = event["intervals"]["return_mean"]
    cells = [text for attributes, text in page.named("span") if attributes.get("class") == "whole"]
    assert shown["return_mean"] == f"{event['return_mean']:,.1f}"
    assert f" [{low:,.1f}, {high:,.1f}]" in cells


def test_the_best_policy_stands_beside_the_last(write_run):
    path = write_run(reported=200)
    file = path / "metrics.jsonl"
    event = json.loads(file.read_text().splitlines()[-1])
    best = event | {"policy": "best", "of_env_steps": 7500, "success_ever": 0.123}
    file.write_text(file.read_text() + json.dumps(best) + "\n")
    page = Page(write_report(path))
    assert "Best policy, 7,500 steps" in [text for _, text in page.named("th")]
    line = str(len(file.read_text().splitlines()) - 1)
    shown = {a["data-field"]: t for a, t in page.named("data") if a["data-event"] == line}
    assert shown["success_ever"] == "0.12"


def test_a_loss_is_told_as_plainly_as_a_gain(write_run):
    path = write_run(last_step=2500)
    file = path / "metrics.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()]
    success = {0: 0.75, 2500: 0.25}
    for event in events:
        if event["event"] == "evaluation":
            event["success_ever"] = success[event["env_steps"]]
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    page = Page(write_report(path))
    assert "Learning lowered success at any step by 0.50." in page.text
    classes = [attributes.get("class") for attributes, _ in page.named("div")]
    assert classes.count("result worse") == 1
    assert "[0.11, 0.47]; of the change [−0.70, −0.19]." in page.text


def test_a_change_that_chance_can_make_is_told_as_such(write_run):
    path = write_run(last_step=2500)
    file = path / "metrics.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()]
    success = {0: 0.5, 2500: 0.6}
    for event in events:
        if event["event"] == "evaluation":
            event["success_ever"] = event["success_at_end"] = success[event["env_steps"]]
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    page = Page(write_report(path))
    assert page.text.count("so few episodes do not show a change") == 2
    assert "Learning lowered" not in page.text


def test_a_quantity_that_stays_is_a_sentence(page):
    assert "Constant throughout: temperature α 0.1." in page.text


def test_every_known_panel_says_how_to_read_it(page):
    meanings = [t for a, t in page.named("p") if a["class"] == "meaning"]
    assert str(METRICS["critic_loss"]).replace(" (loss)", "") in meanings
    both = [METRICS["critic_value"], METRICS["target_value"]]
    (text,) = (text for text in meanings if both[1].meaning in text)
    assert text.startswith("Critics' value: what the critics say of")
    assert all(metric.meaning in text and metric.reading in text for metric in both)
    assert len(meanings) == len(page.named("svg")) - 1  # the prior's has a text beside it


def test_a_run_that_was_not_reported_says_so(write_run):
    page = Page(write_report(write_run(last_step=500)))
    assert any("all results of this run are on selection starts" in n for n in page.notices())


def test_parts_are_all_there_in_order(page):
    assert [text for _, text in page.named("h1")] == ["door · nppac · seed 3"]
    assert [text for _, text in page.named("h2")] == [
        "Reported result",
        "Evaluations",
        "Training",
        "The prior away from its data",
        "One evaluation episode",
        "All evaluations",
        "Provenance",
    ]
    panels = [a["aria-label"].split(",")[0] for a, _ in page.named("svg")]
    measures = 5
    assert panels[:measures] == [
        "Success at any step",
        "Success at the end",
        "Solved fraction",
        "Steps to success",
        "Return",
    ]
    pretraining = ["Divergence from the prior", "Gradient norms"]
    online = ["Divergence from the prior", "Critics", "Gradient norms"]
    others = ["Standard deviation", "Critic loss", "Actor loss"]
    training = [*pretraining, *online, *others]
    assert panels[measures:] == [*training, "Prior's standard deviation"]
    assert not page.notices()


def test_page_needs_nothing_but_itself(page):
    tags = {tag for tag, _, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object"}
    sources = [attributes["src"] or "" for attributes, _ in page.named("img")]
    text = page.text
    for source in sources:
        text = text.replace(source, "")
    assert "//" not in text
    assert "@import" not in text
    assert len(sources) == 4
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_markup_in_the_files_is_shown_not_run(write_run):
    path = write_run(last_step=500, settings={"agent": {"kind": "<img src=x onerror=alert(1)>"}})
    page = Page(write_report(path))
    assert "<img src=x" not in page.text
    assert "<b>host</b>" not in page.text
    (title,) = [text for _, text in page.named("title")]
    assert "<img src=x onerror=alert(1)>" in title
    assert "<script>alert('config')</script> & more" in page.named("pre")[0][1]


def test_pictures_are_described_and_ids_are_unique(page):
    assert all(attributes["alt"] for attributes, _ in page.named("img"))
    assert all(a["role"] == "img" and a["aria-label"] for a, _ in page.named("svg"))
    ids = re.findall(r'\bid="([^"]+)"', page.text)
    assert ids
    assert len(set(ids)) == len(ids)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', page.text))
    assert used <= set(ids)


def test_provenance_holds_config_versions_plugins_and_data_hash(page):
    assert all("open" not in attributes for attributes, _ in page.named("details"))
    assert json.loads(page.named("pre")[0][1])["agent"]["alpha"] == 0.1
    codes = [text for _, text in page.named("code")]
    for expected in ("2.13.0", "nppac-priors", "d" * 64, "0123456789abcdef" * 4, "0123abcd"):
        assert expected in codes


def test_plots_lie_beside_the_page(reported_run):
    names = {"measures", "training-online", "training-pretrain", "prior_std", "frames"}
    assert {file.stem for file in (reported_run / "plots").iterdir()} == names
    for file in (reported_run / "plots").iterdir():
        assert file.read_bytes().startswith(b"\x89PNG")


def test_frames_carry_step_and_success(page):
    captions = [text.strip() for _, text in page.named("figcaption")]
    assert captions == ["step 0", "step 30", "step 70", "step 90"]
    solved = [attributes.get("class") == "solved" for attributes, _ in page.named("figure")]
    assert solved == [False, False, True, False]
    assert "90 steps, first success at step 61" in page.text


def test_report_of_the_same_files_is_the_same(write_run):
    path = write_run(last_step=500)
    once = write_report(path).read_bytes()
    assert write_report(path).read_bytes() == once


def test_unfinished_run_says_what_is_missing(write_run):
    path = write_run(
        last_step=1000, without=("summary.json", "prior_std.json", "frames.npz", "environment.json")
    )
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"event": "evaluation", "env_st')
    page = Page(write_report(path))
    told = " ".join(page.notices())
    for file in ("summary.json", "prior_std.json", "frames.npz"):
        assert file in told
    assert "Not recorded." in told
    assert "→" not in page.text


def test_run_without_any_event_yet(write_run):
    path = write_run(without=("metrics.jsonl", "summary.json", "prior_std.json", "frames.npz"))
    page = Page(write_report(path))
    assert page.notices().count("No evaluation has been made yet.") == 3
    assert "No update has been logged yet." in page.notices()


def test_run_without_a_readable_config(write_run):
    page = Page(write_report(write_run("some-run", without=("config.json",))))
    assert [text for _, text in page.named("h1")] == ["some-run · seed 3"]


def rewritten(path, change):
    """The run with its events changed."""
    file = path / "metrics.jsonl"
    events = [change(json.loads(line)) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(event) + "\n" for event in events))


def test_measure_that_is_null_is_a_dash(write_run):
    path = write_run(last_step=500)
    rewritten(path, lambda e: {**e, "time_to_success": None} if e["event"] == "evaluation" else e)
    page = Page(write_report(path))
    assert all(a["data-field"] != "time_to_success" for a, _ in page.named("data"))
    assert not any("Steps to success" in a["aria-label"] for a, _ in page.named("svg"))


def test_a_task_without_success_shows_none(write_run):
    path = write_run(last_step=5000, reported=200, success=False)
    images, steps = np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 5])
    Frames(images, steps, np.zeros(5, bool), seed=1000).save(path / "frames.npz")
    page = Page(write_report(path))
    assert "success" not in page.text.replace("success_", "").lower().split("provenance")[0]
    shown = [a["aria-label"].split(",")[0] for a, _ in page.named("svg")]
    assert shown[:2] == ["Return", "Divergence from the prior"]
    headline = {a["class"]: text for a, text in page.named("span") if a["class"] != "whole"}
    assert headline["what"] == "Return"
    assert "95 % intervals, of 20 episodes: [1.0, 3.0] → [1.0, 3.0]" in headline["interval"]


def test_what_every_evaluation_has_measured_alike_is_said_in_a_line(write_run):
    path = write_run(last_step=5000)
    rewritten(path, lambda e: e | ({"success_ever": 0.0} if e["event"] == "evaluation" else {}))
    page = Page(write_report(path))
    assert "Constant throughout: Success at any step 0.00." in page.text
    assert not any("Success at any step" in a["aria-label"] for a, _ in page.named("svg"))


def test_reason_for_missing_frames_is_shown(write_run):
    path = write_run(last_step=500)
    empty = np.zeros((0, 1, 1, 3), np.uint8)
    nothing = np.zeros(0, np.int64)
    Frames(empty, nothing, nothing.astype(bool), 1000, "no <OpenGL> here").save(path / "frames.npz")
    assert "No frames were recorded: no <OpenGL> here." in Page(write_report(path)).notices()


def test_directory_that_is_no_run(tmp_path):
    with pytest.raises(DataError, match=r"neither config\.json nor metrics\.jsonl"):
        write_report(tmp_path)


def test_a_pipe_among_the_files_is_told_of_and_not_waited_for(write_run):
    path = write_run(last_step=5000)
    (path / "summary.json").unlink(missing_ok=True)
    os.mkfifo(path / "summary.json")
    with pytest.raises(DataError, match=r"summary\.json: is no regular file"):
        write_report(path)


@pytest.mark.parametrize("file", ["summary.json", "prior_std.json", "frames.npz", "metrics.jsonl"])
def test_damaged_file_is_named(write_run, file):
    path = write_run(last_step=500)
    (path / file).write_text("{not\n")
    with pytest.raises(DataError, match=re.escape(file)):
        write_report(path)
