"""Commands and JSON in the pages: every command line parses, and what it names of ours is there.

Nothing is run. What a block of Python does is tested elsewhere (`test_documentation.py`).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nppac_agents.cli import commands
from nppac_agents.cli.sweep import study_of
from nppac_agents.experiment.loading import experiment_of, load_experiment
from nppac_agents.studies.config import StudyConfig
from nppac_agents.studies.expansion import points
from nppac_priors.cli.subjects import read_subjects

from integration_tests.pages import DOCS, ROOT

pytestmark = pytest.mark.medium

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(DOCS.glob("*.md")),
    *sorted((DOCS / "tasks").glob("*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
]
PARSE = {
    program: importlib.import_module(f"{package}.cli.arguments").parse
    for program, package in {
        "nppac-run": "nppac_agents",
        "nppac-prior": "nppac_priors",
        "nppac-demos": "nppac_envs",
    }.items()
}
OURS = re.compile(r"(examples|studies|docs|benchmarks|tools|integration_tests|packages)/[\w/.-]+")
"""Files of the repository; what a command writes is elsewhere, but for docs/_build"""
ELSEWHERE = re.compile(r"(?!.*examples/)[^{]*\.(json|safetensors)")
"""A prior in a file that a reader has."""


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in some languages."""
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    return [text for language, text in found if language in languages]


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of every command line of a block, or of a help, with its variables filled in."""
    variables: dict[str, str] = {}
    for whole in text.replace("\\\n", " ").splitlines():
        line = re.split(r" {3,}(?=\w)", whole.strip().removeprefix("$ "))[0]  # without what it does
        if not re.match(r"nppac-|python |\.venv/bin/python |make |\w+=", line):
            continue
        words = shlex.split(line, comments=True)
        while words and re.match(r"\w+=", words[0]):
            name, _, value = words.pop(0).partition("=")
            variables[f"${name}"] = value
        if words:
            yield [variables.get(word, word) for word in words]


def require_there(words: list[str]) -> None:
    """Files of ours that a command line names, and the targets of `make`."""
    for word in words:
        if OURS.fullmatch(word.removeprefix("./")) and "_build" not in word:
            assert (ROOT / word).exists(), f"there is no {word}"
    if words[0] == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
        assert set(words[1:]) <= {*targets}, words
    if "-m" in words and (module := words[words.index("-m") + 1]).startswith(("tools", "integ")):
        assert importlib.util.find_spec(module) is not None, words


@pytest.fixture
def checked(monkeypatch, capsys):
    """Parses a command line of ours, and checks the experiments, studies and priors in it."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(commands, "_matches", lambda path: [Path(path)])  # runs of the reader

    def check(words: list[str]) -> None:
        program, *arguments = words
        try:
            parsed = PARSE[program](arguments)
        except SystemExit as stop:
            if stop.code:
                pytest.fail(f"{shlex.join(words)}: {capsys.readouterr().err}")
            return
        values: dict[str, Any] = vars(parsed)
        if (config := values.get("config")) is not None and config.exists():
            load_experiment(config, values["overrides"])
        if (study := values.get("study")) is not None and study.is_file():
            study_of(parsed)
        if program == "nppac-prior":
            priors = [values.get("prior"), *values.get("priors", ()), *values.get("compare", ())]
            named = map(str, filter(None, priors))
            read_subjects(text for text in named if not ELSEWHERE.fullmatch(text))

    return check


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_parses_and_names_what_is_there(page, checked):
    for text in blocks(page, "bash", "console", ""):
        for words in command_lines(text):
            require_there(words)
            if words[0] in PARSE:
                checked(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_within_a_sentence_has_its_options(page, capsys):
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    for program, rest in re.findall(r"`(nppac-(?:run|prior|demos)) ([^`]*)`", text):
        word, *others = rest.split()
        command = [word] if re.fullmatch(r"[a-z-]+", word) else []
        with pytest.raises(SystemExit) as stop:
            PARSE[program]([*command, "--help"])
        told = capsys.readouterr()
        assert stop.value.code == 0, f"{program} {rest}: {told.err}"
        options = {o.partition("=")[0].rstrip(",.") for o in others if o.startswith("--")}
        missing = [option for option in options if not re.search(rf"{option}\b", told.out)]
        assert missing == [], f"{program} {rest}"


def test_the_examples_of_every_help_parse(checked, capsys):
    for program, parse in PARSE.items():
        with pytest.raises(SystemExit):
            parse(["--help"])
        overview = capsys.readouterr().out
        words = re.findall(r"^ {2,4}([a-z-]+)\b", overview, re.M)
        for command in [[], *([word] for word in words)]:
            try:
                parse([*command, "--help"])
            except SystemExit as stop:
                if stop.code:  # a line that is no command's
                    continue
            _, _, examples = capsys.readouterr().out.partition("\nexamples:\n")
            for words in command_lines(examples):
                assert words[0] == program
                require_there(words)
                checked(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_json_of_a_page_is_a_study_or_a_part_of_an_experiment(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    for text in blocks(page, "json"):
        data = json.loads(text if text.lstrip().startswith("{") else f"{{{text}}}")
        if "experiments" in data:
            assert points(StudyConfig.model_validate(data), page.name)
        else:
            whole = {"env": {"kind": "door"}, "agent": {"kind": "sac"}} | data
            experiment_of(whole, where=page.name, name="page")
