"""The PRIOR arguments of the command line, as configurations and fitted priors with labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nppac_priors.errors import ConfigError
from nppac_priors.registry import prior_registry
from nppac_priors.strict_json import parse_json, read_json

if TYPE_CHECKING:
    from nppac_priors.config import PriorConfig

_LABELLED = re.compile(r"([^={/]+)=(.+)", re.DOTALL)


def read_subjects(texts: Iterable[str]) -> dict[str, PriorConfig | Path]:
    """Configurations, and paths of fitted priors, by label.

    Args:
        texts: Each `[LABEL=]PRIOR`, with PRIOR a kind, a JSON object, a JSON file with one or with
            several, or a safetensors file.

    Raises:
        ConfigError: A file cannot be read, a configuration does not validate, or a label occurs
            twice.
        UnknownKindError: No plugin provides a kind.
    """
    subjects: dict[str, PriorConfig | Path] = {}
    for text in texts:
        for label, subject in _read(text).items():
            if label in subjects:
                raise ConfigError(f"two priors are called {label!r}; name one, as LABEL=PRIOR")
            subjects[label] = subject
    return subjects


def read_configs(texts: Iterable[str]) -> dict[str, PriorConfig]:
    """Like `read_subjects`, where only configurations will do.

    Raises:
        ConfigError: One of them is a fitted prior, too.
    """
    configs: dict[str, PriorConfig] = {}
    for label, subject in read_subjects(texts).items():
        if isinstance(subject, Path):
            raise ConfigError(f"{subject}: is fitted already; give a kind or a configuration")
        configs[label] = subject
    return configs


def _read(text: str) -> dict[str, PriorConfig | Path]:
    match = _LABELLED.fullmatch(text)
    label, what = (match[1], match[2]) if match else (None, text)
    if what.endswith(".safetensors"):
        return {label or Path(what).stem: Path(what)}
    if what.endswith(".json"):
        return _read_file(Path(what), label)
    data = _parse(what) if what.lstrip().startswith("{") else {"kind": what}
    config = prior_registry().parse(data, where=label or "PRIOR")
    return {label or config.kind: config}


def _read_file(path: Path, label: str | None) -> dict[str, PriorConfig | Path]:
    data = read_json(path)
    several = isinstance(data, dict) and data and "kind" not in data
    if not several:
        return {label or path.stem: prior_registry().parse(data, where=str(path))}
    if label is not None:
        raise ConfigError(f"{path}: holds several priors, which {label!r} cannot name all")
    return {
        name: prior_registry().parse(item, where=f"{path}: {name}") for name, item in data.items()
    }


def _parse(text: str) -> Any:
    try:
        return parse_json(text)
    except ConfigError as error:
        raise ConfigError(f"PRIOR: {error}") from None
