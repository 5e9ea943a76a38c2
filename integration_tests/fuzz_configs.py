"""Experiment files at random: each is refused in lines that name it, or reads back as it says.

    python integration_tests/fuzz_configs.py 10000 [--seed 0] [--first 0]

A file is made from the JSON schema (every kind of environment, prior, agent and source), then left
as it is, changed in one or two values, changed in its text, or changed by `--set`. One that is
accepted must say what was given, and `config.json` must read back as the same experiment with the
same hash. Prints the counts; the exit code is 1 if a case failed, and the case can be run alone
with `1 --first NUMBER`.
"""

from __future__ import annotations

import copy
import json
import math
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from fuzzing import Fault, run_cases
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.running.run_directory import config_hash, resolved
from nppac_priors.atomic_files import write_json
from nppac_priors.errors import ConfigError

SCHEMA = ExperimentConfig.model_json_schema(by_alias=True)
TEXTS = ("", "a", "states", "a b/ü.npz", "~/a", "x{seed}", "{name}", "../up", "1", "a\0", "no")
ODD = (
    *(None, True, False, "", "x", "5", "1e400", [], {}, [1], {"kind": "door"}, -1, 0, 1, 0.5),
    *(2**31, 2**63 - 1, 2**63, -(2**80), 10**4000, 1e308, 5e-324, math.inf, -math.inf, math.nan),
    *("\udc80", "a\nb", "\0", "9" * 5000, [[[[]]]]),
)


def experiment(rng: random.Random) -> dict[str, Any]:
    """An experiment that the schema admits; validators across fields may refuse it."""
    data = _value(SCHEMA, rng, 0)
    while data.get("prior") is not None and data.get("demonstrations") is None:
        data["demonstrations"] = _value(SCHEMA["properties"]["demonstrations"], rng, 0)
    return data


def _value(schema: dict[str, Any], rng: random.Random, depth: int) -> Any:
    if "$ref" in schema:
        return _value(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], rng, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return _value(rng.choice(schema[union]), rng, depth)
    make = {"object": _object, "array": _array, "string": _text}.get(schema["type"])
    return make(schema, rng, depth) if make else _scalar(schema, rng)


def _object(schema: dict[str, Any], rng: random.Random, depth: int) -> dict[str, Any]:
    share = 0.5 / (1 + depth)
    fields = schema.get("properties", {})  # none: any object
    required = {*schema.get("required", ()), *({"source", "kind"} & fields.keys())}
    return {
        name: _value(field, rng, depth + 1)
        for name, field in fields.items()
        if name in required or rng.random() < share
    }


def _array(schema: dict[str, Any], rng: random.Random, depth: int) -> list[Any]:
    if "prefixItems" in schema:
        return [_value(item, rng, depth + 1) for item in schema["prefixItems"]]
    count = rng.randint(schema.get("minItems", 0), min(schema.get("maxItems", 3), 3))
    return [_value(schema["items"], rng, depth + 1) for _ in range(count)]


def _text(schema: dict[str, Any], rng: random.Random, depth: int) -> str:
    return "0f" * 32 if "pattern" in schema else rng.choice(TEXTS)


def _scalar(schema: dict[str, Any], rng: random.Random) -> Any:
    if schema["type"] in ("null", "boolean"):
        return None if schema["type"] == "null" else rng.random() < 0.5
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1000))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 1000))
    if schema["type"] == "integer":
        inner = low + ("exclusiveMinimum" in schema), high - ("exclusiveMaximum" in schema)
        return rng.choice((*inner, rng.randint(*inner)))
    number = rng.choice((rng.uniform(low, high), rng.uniform(low, low + 1e-6)))
    return number if low < number < high else (low + high) / 2


def mutate(value: Any, rng: random.Random) -> Any:
    """The value with one place in it replaced, removed or added; containers are changed."""
    if isinstance(value, int | float) and abs(value) < 1e300 and rng.random() < 0.4:
        return rng.choice((value * 2, value / 2, -value, value + 1, float(value), f"{value}"))
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return copy.deepcopy(rng.choice(ODD))
    key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
    action = rng.random()
    if action < 0.15:
        del value[key]
    elif action < 0.25 and isinstance(value, dict):
        value[rng.choice((str(key)[:-1], f"{key}x", "kind", "source"))] = copy.deepcopy(
            rng.choice(ODD)
        )
    else:
        value[key] = mutate(value[key], rng)
    return value


def wrapped(data: dict[str, Any], levels: int) -> dict[str, Any]:
    """The experiment with its prior inside so many others."""
    for _ in range(levels if data.get("prior") else 0):
        data["prior"] = {"kind": "variance-floor", "prior": data["prior"], "min_std": 0.5}
    return data


def mutate_text(text: str, rng: random.Random) -> bytes:
    """The text with bytes changed, removed, doubled or nested."""
    raw = text.encode()
    start = rng.randrange(len(raw))
    end = min(len(raw), start + rng.choice((1, 1, 5, 50)))
    piece = rng.choice(
        (
            *(b"", bytes([rng.randrange(256)]), raw[start:end] * 2, b"1" * 5000, b"1e400", b"NaN"),
            *(b"[" * 2000, b'{"a":' * 2000, b"-", b"0", b"\\ud800", b"\xff", b'"', b","),
        )
    )
    return raw[:start] + piece + raw[end:]


def check_case(rng: random.Random) -> str:
    """Makes one file and loads it; returns how that ended.

    Raises:
        Fault: it ended in a way that is promised not to happen.
    """
    data: Any = wrapped(experiment(rng), rng.choice((0,) * 20 + (3, 50, 300)))
    kind = rng.choice(("valid", "value", "value", "value", "text", "override"))
    for _ in range(rng.choice((1, 2)) if kind == "value" else 0):
        data = mutate(data, rng)
    text = json.dumps(data, ensure_ascii=rng.random() < 0.5)
    content = text.encode(errors="surrogatepass")
    if kind == "text":
        content = mutate_text(text, rng)
    overrides = [_override(data, rng)] if kind == "override" else []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / rng.choice(("door.json",) * 8 + ("a b.json", "{seed}.json"))
        path.write_bytes(content)
        try:
            config = load_experiment(path, overrides)
        except ConfigError as error:
            _check_lines(str(error), path)
            return f"{kind}: refused"
        check_round_trip(config, Path(folder) / "config.json")
    if not overrides:
        _check_says_the_same(json.loads(content), resolved(config), "")
    return f"{kind}: accepted"


def _override(data: dict[str, Any], rng: random.Random) -> str:
    path = []
    while isinstance(data, dict) and data and (not path or rng.random() < 0.7):
        path.append(rng.choice(list(data)))
        data = data[path[-1]]
    value = rng.choice(ODD)
    return f"{'.'.join(path)}={value if isinstance(value, str) else json.dumps(value)}"


def _check_lines(message: str, path: Path) -> None:
    for line in message.split("\n"):
        if not line.startswith((f"{path}", "--set ")) or not line.isprintable():
            raise Fault(f"a line that names no file: {line[:200]!r}")


def check_round_trip(config: ExperimentConfig, path: Path) -> None:
    """Checks that the experiment, written to `path` as a run writes it, reads back the same.

    But for what is said to editors and readers of the file.

    Raises:
        Fault: it does not.
    """
    write_json(path, resolved(config))
    again = load_experiment(path)
    if again != config.model_copy(update={"schema_": None, "comment": ()}):
        raise Fault(f"reads back as another experiment: {resolved(config)} -> {resolved(again)}")
    if resolved(again) != resolved(config) or config_hash(again) != config_hash(config):
        raise Fault(f"reads back with another hash: {resolved(config)}")


def _check_says_the_same(given: Any, read: Any, path: str) -> None:
    """Every value that was given is the one that was read."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            if path or key not in ("$schema", "$comment", "output_dir"):
                _check_says_the_same(value, read[key], f"{path}.{key}")
    elif isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        for index, pair in enumerate(zip(given, read, strict=True)):
            _check_says_the_same(*pair, f"{path}[{index}]")
    elif isinstance(given, str) and isinstance(read, str) and Path(given) == Path(read):
        return
    elif type(given) is int and isinstance(read, float) and float(given) == read:
        return  # a whole number in a field of real ones is rounded as any other number there
    elif isinstance(given, bool) != isinstance(read, bool) or given != read:
        raise Fault(f"{path}: {given!r} was read as {read!r}")


if __name__ == "__main__":
    sys.exit(run_cases(__doc__, check_case))
