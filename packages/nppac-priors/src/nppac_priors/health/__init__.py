"""Is a prior healthy? Numbers, a verdict, pictures and a page, before any reinforcement learning.

`assess` measures fitted priors on held-out episodes and away from the data; `write_report` turns
what it returns into JSON, PNG and one HTML page; `trace_training` follows the variance off the data
while a prior trains. The command `nppac-prior` does all three.

Numbers need torch only; whatever draws needs the extra `report` (matplotlib).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nppac_priors.health.assessment import Health as Health
    from nppac_priors.health.assessment import assess as assess
    from nppac_priors.health.calibration import Calibration as Calibration
    from nppac_priors.health.forecast import Forecast as Forecast
    from nppac_priors.health.off_data import OffData as OffData
    from nppac_priors.health.off_data import std_by_distance as std_by_distance
    from nppac_priors.health.report import write_report as write_report
    from nppac_priors.health.training import trace_training as trace_training
    from nppac_priors.health.verdict import Verdict as Verdict

_MODULE_OF = {
    "Health": "assessment",
    "assess": "assessment",
    "Calibration": "calibration",
    "Forecast": "forecast",
    "OffData": "off_data",
    "std_by_distance": "off_data",
    "write_report": "report",
    "trace_training": "training",
    "Verdict": "verdict",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF])
