"""TensorBoard: every number of every event, with the sentence that `metric_names` has for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from nppac_priors.strict_json import read_json

from nppac_agents.loggers.logger import POSITION, LoggerConfig
from nppac_agents.loggers.series import axis_of, series_of
from nppac_agents.metric_names import METRICS


class TensorBoardConfig(LoggerConfig):
    """Numbers for TensorBoard, in the run directory's `tensorboard/`."""

    kind: Literal["tensorboard"] = "tensorboard"  # pyright: ignore[reportIncompatibleVariableOverride]

    def open(self, run_dir: Path) -> TensorBoard:
        """Opens a new file of events there."""
        return TensorBoard(run_dir / "tensorboard", read_json(run_dir / "config.json"))


class TensorBoard:
    """Writes scalars `phase/name` over environment steps, or over updates where none are made."""

    def __init__(self, folder: Path, experiment: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard.writer import FileWriter

        self._writer = FileWriter(str(folder))
        self._experiment = experiment
        self._described: set[str] = set()

    def write(self, event: Mapping[str, Any]) -> None:
        """The numbers of one event."""
        series, step = series_of(event), event[axis_of(event["phase"], self._experiment)]
        for name, value in event.items():
            if name not in POSITION and isinstance(value, int | float):
                self._writer.add_summary(self._summary(f"{series}/{name}", name, value), step)

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def _summary(self, tag: str, name: str, value: float) -> Any:
        """A scalar; the first of its tag says what it is."""
        from torch.utils.tensorboard.summary import scalar

        summary = scalar(tag, value)
        if tag not in self._described and name in METRICS:
            summary.value[0].metadata.summary_description = str(METRICS[name])
        self._described.add(tag)
        return summary
