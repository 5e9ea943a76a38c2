"""The parts of a report, in the order of the page; each says so where its files are not there."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from nppac_priors.drawing.html import (
    NOTHING,
    code,
    details,
    json_block,
    notice,
    paragraph,
    properties,
    section,
    table,
)
from nppac_priors.drawing.panels import Panel
from nppac_priors.drawing.rendering import image_png

from nppac_agents.reporting.durations import duration
from nppac_agents.reporting.elements import image, metric, panel_grid, panel_svg, records
from nppac_agents.reporting.gauges import GAUGES
from nppac_agents.reporting.measures import BY_FIELD, MEASURES, Measure
from nppac_agents.reporting.run_files import Logged, RunFiles

_PHASES = {
    "pretrain": "Pre-training, before any interaction",
    "offline": "Offline, without interaction",
    "warm-up": "Warm-up of the critics, while the policy stays",
    "online": "Online, with interaction",
}


def title(run: RunFiles) -> str:
    """`door · nppac · seed 0`, as plain text."""
    parts = [run.setting("env", "id") or run.setting("env", "kind"), run.setting("agent", "kind")]
    named = [str(part) for part in parts if part is not None] or [run.path.name]
    return " · ".join(named if run.seed is None else [*named, f"seed {run.seed}"])


def header(run: RunFiles) -> str:
    """Task, method and seed; success before and after; how it was measured."""
    prior = run.setting("prior", "kind")
    parts = [
        paragraph(_state(run), "state"),
        f"<h1>{escape(title(run))}</h1>",
    ]
    if run.config:
        parts.append(paragraph(f"Prior: {code(prior)}." if prior else "No prior."))
    if run.summary is None:
        parts.append(
            notice("This run is not finished: summary.json is missing. All below is from its log.")
        )
    evaluations = run.evaluations
    if not evaluations:
        return "\n".join([*parts, notice(_unevaluated(run))])
    first, last = evaluations[0], evaluations[-1]
    results = [_result(field, first, last) for field in ("success_ever", "success_at_end")]
    parts.append(f'<div class="headline">{"".join(results)}</div>')
    parts += [notice(text) for text in _losses(run, first.event, last.event)]
    return "\n".join([*parts, paragraph(_protocol(run, first, last))])


def _unevaluated(run: RunFiles) -> str:
    if run.config and run.setting("env") is None:
        return "The experiment names no environment, so that nothing was evaluated."
    return "No evaluation has been made yet."


def _losses(run: RunFiles, first: dict[str, Any], last: dict[str, Any]) -> list[str]:
    """What learning made worse, in plain words, and what is kept instead."""
    best = (run.summary or {}).get("best")
    kept = "" if best is None else f" The best policy, of {best['env_steps']:,} steps, is kept."
    drops = {field: first[field] - last[field] for field in ("success_ever", "success_at_end")}
    return [
        f"Learning lowered {BY_FIELD[field].title.lower()} by {drop:.2f}.{kept}"
        for field, drop in drops.items()
        if drop > 0
    ]


def reported(run: RunFiles) -> str:
    """Last and best policy on the reporting starts, with intervals; nothing while a run goes on."""
    name, last, best = "Reported result", run.reported, run.reported_best
    if last is None:
        text = "No reporting starts were played: all results of this run are on selection starts."
        return section(name, notice(text)) if run.summary is not None else ""
    low, high = last.event["seeds"]
    text = (
        f"The {'last and the best policy' if best else 'last policy, which is the best too,'} in "
        f"{metric(last, 'episodes', str(last.event['episodes']))} episodes, deterministic "
        f"actions, reset seeds {low} to {high}. No setting or policy was chosen by "
        "these starts; all other evaluations on this page are on the selection starts. Intervals: "
        "95 %, over starts, for this one policy; another training seed may lie outside."
    )
    shown = {"Last": last} if best is None else {"Last": last, "Best": best}
    rows = [
        [escape(measure.title), *(_with_interval(logged, measure) for logged in shown.values())]
        for measure in MEASURES
    ]
    head = ["Measure", *(_at(which, logged) for which, logged in shown.items())]
    return section(name, paragraph(text), table(head, rows, name=name, kind="evaluations"))


def _at(which: str, logged: Logged) -> str:
    steps = logged.event.get("of_env_steps", logged.event["env_steps"])
    return f"{which} policy, {steps:,} steps"


def _with_interval(logged: Logged, measure: Measure) -> str:
    """`0.93 [0.88, 0.96]`, the value marked with where it was logged."""
    interval = logged.event["intervals"].get(measure.field)
    if interval is None:
        return _measured(logged, measure.field)
    low, high = (format(end, measure.form) for end in interval)
    return f"{_measured(logged, measure.field)} [{low}, {high}]"


def measures(run: RunFiles, panels: Sequence[Panel]) -> str:
    """The five measures over the run."""
    if not run.evaluations:
        return section("Evaluations", notice(_unevaluated(run)))
    terms = [f"<dt>{escape(m.title)}</dt><dd>{escape(m.meaning)}</dd>" for m in MEASURES]
    aside = f"<dl>{''.join(terms)}</dl>"
    return section("Evaluations", panel_grid(panels, group="measures", aside=aside))


def guard(run: RunFiles, panels: Sequence[Panel]) -> str:
    """The pathology guard's gauges over the run, and what to do where one left its range."""
    if not panels:
        return ""
    shown = {panel.key for panel in panels}
    gauges = [gauge for gauge in GAUGES if gauge.field in shown]
    terms = [f"<dt>{escape(g.title)}</dt><dd>{escape(g.meaning)}</dd>" for g in gauges]
    beyond = [g for g in gauges if _highest(run, g.field) > g.highest]
    notices = [
        notice(f"{g.title} rose to {_highest(run, g.field):.3g}: {g.advice}.") for g in beyond
    ]
    text = paragraph(
        "Measured with every evaluation on what the replay holds: whether the prior keeps its "
        "width where the policy goes, what moves the policy, and whether the critics promise more "
        "than follows."
    )
    grid = panel_grid(panels, group="guard", aside=f"<dl>{''.join(terms)}</dl>")
    return section("Pathology guard", text, *notices, grid)


def _highest(run: RunFiles, field: str) -> float:
    return max(logged.event.get(field) or 0.0 for logged in run.evaluations)


def training(panels_by_phase: dict[str, list[Panel]]) -> str:
    """What the updates reported, one grid for each phase."""
    if not any(panels_by_phase.values()):
        return section("Training", notice("No update has been logged yet."))
    parts = []
    for phase, panels in panels_by_phase.items():
        parts.append(f"<h3>{escape(_PHASES.get(phase, phase))}</h3>")
        parts.append(panel_grid(panels, group=f"training-{phase}"))
    return section("Training", *parts)


def prior_std(run: RunFiles, panel: Panel | None) -> str:
    """The prior's standard deviation against the distance from the data."""
    name = "The prior away from its data"
    if panel is None or run.prior_std is None:
        text = "prior_std.json is missing: the run has no Gaussian prior, or not yet."
        return section(name, notice(text))
    curve = run.prior_std
    on_data, away = curve["on_data_median"], curve["mean_std"][-1]
    text = (
        f"<b>Standard deviation {on_data:.3g} on the demonstrations, {away:.3g} at distance "
        f"{curve['distance'][-1]:.3g}.</b> A behavioural prior cloned by maximum likelihood loses "
        "its standard deviation away from the demonstrations, and the KL term and its gradients "
        "grow without bound. A prior that is safe to regularise with keeps it, or regains it."
    )
    how = (
        f"Demonstration states were moved by Gaussian noise of growing scale: {sum(curve['n']):,} "
        "states, filed by their Euclidean distance to the nearest demonstration state, in "
        f"standard deviations of the demonstrations ({curve['dimensions']} dimensions that vary)."
    )
    aside = paragraph(text) + paragraph(how)
    picture = panel_svg(panel, "prior")
    return section(name, f'<div class="pair">{picture}<div class="aside">{aside}</div></div>')


def episode(run: RunFiles) -> str:
    """Frames of one evaluation episode."""
    name, frames = "One evaluation episode", run.frames
    if frames is None:
        return section(name, notice("frames.npz is missing: no frames were recorded."))
    if not len(frames.images):
        return section(
            name, notice(f"No frames were recorded: {frames.reason or 'none asked for'}.")
        )
    solved = np.flatnonzero(frames.successes)
    outcome = f"first success at step {solved[0] + 1}" if solved.size else "no success"
    cells = []
    for picture, step in zip(frames.images, frames.steps.tolist(), strict=True):
        success = step > 0 and bool(frames.successes[step - 1])
        mark = " <b>✓ success</b>" if success else ""
        description = f"The environment after {step} steps{', a success' if success else ''}."
        cells.append(
            f"<figure{' class=solved' if success else ''}>{image(image_png(picture), description)}"
            f"<figcaption>step {step}{mark}</figcaption></figure>"
        )
    text = f"Seed {frames.seed}, deterministic actions: {len(frames.successes)} steps, {outcome}."
    return section(name, paragraph(text), f'<div class="strip">{"".join(cells)}</div>')


def evaluations(run: RunFiles) -> str:
    """Every evaluation in a table."""
    if not run.evaluations:
        return section("All evaluations", notice(_unevaluated(run)))
    head = ["Env steps", "Updates", "Wall-clock", *(m.title for m in MEASURES), "Episodes"]
    rows = [_evaluation_row(logged) for logged in run.evaluations]
    return section("All evaluations", table(head, rows, name="All evaluations", kind="evaluations"))


def provenance(run: RunFiles) -> str:
    """Config, versions, plugins and data, to unfold."""
    rest = dict(run.environment)
    packages, plugins = rest.pop("packages", None), rest.pop("plugins", None)
    git = rest.pop("git", None) or {}
    hashes = {
        "demonstrations_hash": rest.pop("demonstrations_hash", None),
        "config_hash": (run.summary or {}).get("config_hash"),
    }
    parts = [
        _unfolding("Resolved configuration", run.config, lambda: json_block(run.config)),
        _unfolding("Versions", packages, lambda: properties(packages, name="Versions")),
        _unfolding(
            "Plugins and their distributions", plugins, lambda: records(plugins, name="Plugins")
        ),
        details("Hashes of data and configuration", properties(hashes, name="Hashes")),
        details("Machine and commit", properties({**rest, **git}, name="Machine and commit")),
    ]
    return section("Provenance", *parts)


def _unfolding(name: str, data: Any, content: Any) -> str:
    return details(name, content() if data else notice("Not recorded."))


def _state(run: RunFiles) -> str:
    state = "unfinished" if run.summary is None else str(run.summary.get("status", "done"))
    return f"nppac run, {escape('finished' if state == 'done' else state)}"


def _result(field: str, first: Logged, last: Logged) -> str:
    measure = BY_FIELD[field]
    before, after = _measured(first, field), _measured(last, field)
    change = f'<span class="after">{after}</span>'
    if first.line != last.line:
        arrow = '<span class="arrow" role="img" aria-label="then">→</span>'
        change = f'<span class="before">{before}</span>{arrow}{change}'
    return (
        f'<div class="result"><span class="what">{escape(measure.title)}</span>'
        f'<span class="meaning">{escape(measure.meaning)}</span>'
        f'<span class="change">{change}</span></div>'
    )


def _protocol(run: RunFiles, first: Logged, last: Logged) -> str:
    """From where to where the headline goes, and how each end was measured."""
    steps = metric(last, "env_steps", f"{last.event['env_steps']:,}")
    updates = metric(last, "updates", f"{last.event['updates']:,}")
    wall = metric(last, "wall_seconds", duration(last.event["wall_seconds"]))
    after = f"{steps} environment steps, {updates} updates, {wall} of wall-clock time"
    start = metric(first, "env_steps", f"{first.event['env_steps']:,}")
    one = first.line == last.line
    before = "Measured at" if one else f"Before: {start} environment steps. After:"
    episodes = metric(last, "episodes", str(last.event["episodes"]))
    text = (
        f"{before} {after}. Each value: {episodes} episodes with deterministic actions, on the "
        "selection starts"
    )
    first_seed = run.setting("evaluation", "first_seed")
    if first_seed is not None:
        text += f", reset seeds from {escape(str(first_seed))} up"
    horizon = run.setting("env", "horizon")
    if horizon is not None:
        text += f", at most {escape(str(horizon))} steps each"
    return text + ". One run has one seed: compare methods over several."


def _evaluation_row(logged: Logged) -> list[str]:
    event = logged.event
    return [
        metric(logged, "env_steps", f"{event['env_steps']:,}"),
        metric(logged, "updates", f"{event['updates']:,}"),
        metric(logged, "wall_seconds", duration(event["wall_seconds"])),
        *(_measured(logged, measure.field) for measure in MEASURES),
        metric(logged, "episodes", str(event["episodes"])),
    ]


def _measured(logged: Logged, field: str) -> str:
    value = logged.event.get(field)
    return NOTHING if value is None else metric(logged, field, format(value, BY_FIELD[field].form))
