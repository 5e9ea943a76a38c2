"""Puts each fault into a copy of the project, and tells which test notices it.

    python -m integration_tests.mutations              # all of them
    python -m integration_tests.mutations gae methods/ # those whose text or file has one of these

Prints a line for each. `BROKEN`: the tests fail without the fault too, or the entry is out of date.
Exit code 1 unless every fault is noticed.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from integration_tests.mutations.mutation import ROOT, Mutation
from integration_tests.mutations.of_agents import AGENTS
from integration_tests.mutations.of_envs import ENVS
from integration_tests.mutations.of_methods import METHODS
from integration_tests.mutations.of_models import MODELS
from integration_tests.mutations.of_nppac import BEYOND_THE_PAPER
from integration_tests.mutations.of_policy_constraints import POLICY_CONSTRAINTS
from integration_tests.mutations.of_priors import PRIORS
from integration_tests.mutations.of_runs import RUNS

MUTATIONS = [
    *PRIORS,
    *ENVS,
    *AGENTS,
    *METHODS,
    *POLICY_CONSTRAINTS,
    *MODELS,
    *BEYOND_THE_PAPER,
    *RUNS,
]
LEFT_OUT = shutil.ignore_patterns(".*", "runs", "build", "dist", "__pycache__", "*.egg-info")
LIBRARIES = (
    *("torch", "torch._dynamo", "gpytorch", "pyro.infer", "safetensors.torch", "hypothesis"),
    *("tianshou.trainer", "tianshou.data", "gymnasium.vector", "gymnasium_robotics", "minari"),
)
"""Imported once; what this project's modules need is then there when a fork imports them."""
Passes = Callable[[tuple[str, ...]], bool]
PASSED, FAILED = 0, 1
"""Exit codes of pytest; others say that it could not even run the tests."""


def main(words: list[str]) -> int:
    """Try the mutations whose description or file has any of the words, or all."""
    chosen = [m for m in MUTATIONS if not words or any(w in m.what + m.file for w in words)]
    survived = 0
    sys.dont_write_bytecode = True  # else a fault could meet the bytecode of the text before it
    _load_libraries()
    with tempfile.TemporaryDirectory(prefix="mutations") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)

        @cache
        def passes_without(tests: tuple[str, ...]) -> bool:
            return _run(copy, tests)[0] == PASSED

        for mutation in chosen:
            start = time.perf_counter()
            verdict, told = _try(mutation, copy, passes_without)
            survived += verdict != "KILLED"
            seconds = time.perf_counter() - start
            print(f"{verdict:8} {seconds:4.0f} s  {mutation.what}: {told}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} noticed")
    return 1 if survived or not chosen else 0


def _load_libraries() -> None:
    for library in LIBRARIES:
        importlib.import_module(library)
    importlib.import_module("tianshou.algorithm.algorithm_base").Policy._compile()


def _try(mutation: Mutation, copy: Path, passes_without: Passes) -> tuple[str, str]:
    file = copy / mutation.file
    try:
        source = file.read_text()
        mutated = mutation.applied(source)
    except (OSError, ValueError) as error:
        return "BROKEN", str(error)
    if not passes_without(mutation.tests):
        return "BROKEN", f"{' '.join(mutation.tests)} is red without it"
    file.write_text(mutated)
    try:
        code, output = _run(copy, mutation.tests)
    finally:
        file.write_text(source)
    if code == PASSED:
        return "SURVIVED", " ".join(mutation.tests)
    if code != FAILED:
        return "BROKEN", (output.strip() or "no output").splitlines()[-1]
    return "KILLED", ", ".join(re.findall(r"^(?:FAILED|ERROR) \S*?tests/(\S+)", output, re.M))


def _run(copy: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Exit code and output of pytest, in a fork that finds the libraries already imported."""
    output = copy.with_name("output")
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = _pytest_in(copy, tests, output)
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, output.read_text(errors="replace")


def _pytest_in(copy: Path, tests: tuple[str, ...], output: Path) -> int:
    import pytest

    for name in [name for name, module in sys.modules.items() if _is_ours(name, module)]:
        del sys.modules[name]  # whoever calls this may have imported the text without the fault
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout = sys.stderr = file
        os.chdir(copy)
        sources = [str(path) for path in sorted(copy.glob("packages/*/src"))]
        os.environ["PYTHONPATH"] = os.pathsep.join(sources)
        sys.path[:0] = sources
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])
    return int(code)


def _is_ours(name: str, module: object) -> bool:
    """Whether a module is part of the project, its tests included."""
    file = str(getattr(module, "__file__", None))
    tests = file.startswith(f"{ROOT}{os.sep}") and "site-packages" not in file
    return tests or name.startswith("nppac_")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
