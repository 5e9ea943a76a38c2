"""The libraries of tracking services, as the tests' own."""

import importlib
import sys
from pathlib import Path

STAND_INS = Path(__file__).with_name("stand_ins")


def install(monkeypatch, name):
    """Makes `import NAME` give a fresh stand-in, whatever is installed."""
    monkeypatch.syspath_prepend(str(STAND_INS))
    for variable in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module(name)
    monkeypatch.setitem(sys.modules, name, module)
    return module
