"""Draw what `alarm.py` found: false alarms, and alarms in disturbed environments.

python benchmarks/alarm_figure.py door.json pen.json --output docs/figures/alarm.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from disturbed import STRENGTHS
from nppac_agents.reporting.statistics import wilson
from nppac_priors.drawing.panels import Curve, Panel, row_figure
from nppac_priors.drawing.rendering import figure_png
from nppac_priors.drawing.style import MUTED, SERIES

SIZE = (3.15, 2.6)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("found", type=Path, nargs="+", help="JSON files that alarm.py wrote")
    parser.add_argument("--output", type=Path, required=True, help="PNG")
    return parser.parse_args()


def false_alarms(found: list[dict[str, Any]]) -> Panel:
    """The share of left-out episodes with an alarm, by the rate that was asked for."""
    ends = np.array([0.0, 0.5])
    curves = [Curve(ends, ends, MUTED, "as stated", line="--", weight=1.0)]
    for row, colour in zip(found, SERIES, strict=False):
        left_out = row["left_out"]
        counts, episodes = left_out["alarmed_of_stated"], left_out["episodes"]
        low, high = np.transpose([wilson(count, episodes) for count in counts])
        stated, shares = np.array(left_out["stated"]), np.array(counts) / episodes
        name = f"{row['set']}, {episodes} episodes"
        curves.append(Curve(stated, shares, colour, name, low=low, high=high, marked=True))
    return Panel(
        "false-alarms", "False alarms", "share of left-out episodes with an alarm",
        "rate asked for", curves, limits=(0, 1), x_end=0.5, size=SIZE,
    )  # fmt: skip


def noticed(row: dict[str, Any]) -> Panel:
    """The share of episodes with an alarm, by the strength of each disturbance."""
    played = row["played"]
    curves = []
    for name, colour in zip(STRENGTHS, SERIES, strict=False):
        of_it = [played[0], *(entry for entry in played if entry["what"] == name)]
        ends = np.transpose([entry["alarmed_interval"] for entry in of_it])
        x, shares = np.arange(len(of_it)), np.array([entry["alarmed"] for entry in of_it])
        label = f"{name}: {', '.join(f'{strength:g}' for strength in STRENGTHS[name])}"
        curves.append(
            Curve(x.astype(float), shares, colour, label, low=ends[0], high=ends[1], marked=True)
        )
    note = f"share of {played[0]['episodes']} episodes with an alarm"
    return Panel(
        f"noticed-{row['set']}", f"{row['set'].capitalize()}, disturbed", note,
        "strength: none, then as named", curves, limits=(0, 1), x_end=3.0, size=SIZE,
    )  # fmt: skip


def main() -> None:
    arguments = parse_arguments()
    found = [json.loads(path.read_text()) for path in arguments.found]
    footnote = (
        f"Disturbed: alarms at a rate of {found[0]['per_episode']:g} an episode. Sensor noise in "
        "standard deviations of the demonstrated states, weak motors in shares of every action "
        "that are lost, delays in steps. Bands: Wilson's 95 % intervals."
    )
    figure = row_figure([false_alarms(found), *map(noticed, found)], footnote=footnote)
    arguments.output.write_bytes(figure_png(figure))


if __name__ == "__main__":
    main()
