"""Builds the three wheels, installs them into fresh environments, and tries what they hold.

    python -m tools.wheels           # this Python, the versions of constraints.txt
    python -m tools.wheels --versions newest --python python3.12 --python python3.13
    python -m tools.wheels --versions lowest --keep torch==2.13.0

`lowest` pins every dependency that a package names to the lowest version that its range allows,
`newest` pins nothing. `--keep` pins one all the same, such as a CPU build of torch. Takes some
minutes and gigabytes for each Python; the environments go when they have been tried.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
NAMES = ("nppac-priors", "nppac-envs", "nppac-agents")
SMOKE = Path(__file__).with_name("smoke.py")


def main() -> int:
    """Build, install and try."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.wheels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--python", action="append", help="an interpreter; may be repeated (this one)")
    add("--versions", choices=("pinned", "lowest", "newest"), default="pinned")
    add("--keep", action="append", default=[], metavar="NAME==VERSION", help="may be repeated")
    arguments = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        wheels = build(Path(folder) / "wheels")
        for python in arguments.python or [sys.executable]:
            print(f"==> {python}, {arguments.versions} versions", flush=True)
            constraints = Path(folder) / "constraints.txt"
            constraints.write_text("\n".join(pins(arguments.versions, arguments.keep)) + "\n")
            if not try_out(python, wheels, constraints, Path(folder) / "environment"):
                failed.append(python)
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


def build(folder: Path) -> list[Path]:
    """The wheels, built by this environment's hatchling; each lists what it has to hold."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    sources = [str(ROOT / "packages" / name) for name in NAMES]
    subprocess.run([*pip, "--wheel-dir", str(folder), *sources], check=True)
    return sorted(folder.glob("*.whl"))


def pins(versions: str, keep: list[str]) -> Iterator[str]:
    """Lines of a constraints file; what is kept replaces what would be pinned."""
    kept = {Requirement(line).name.lower() for line in keep}
    yield from keep
    if versions == "pinned":
        lines = (ROOT / "constraints.txt").read_text().splitlines()
        found = [line for line in lines if line and not line.startswith("#")]
    else:
        found = lowest() if versions == "lowest" else []
    for line in found:
        if Requirement(line).name.lower() not in kept:
            yield line


def lowest() -> list[str]:
    """`NAME==VERSION` of the lower end of every range; the highest where packages differ."""
    ends: dict[str, str] = {}
    for name in NAMES:
        project = tomllib.loads((ROOT / "packages" / name / "pyproject.toml").read_text())[
            "project"
        ]
        extra = project["optional-dependencies"].get("report", [])
        for line in project["dependencies"] + extra:
            requirement = Requirement(line)
            low = [one.version for one in requirement.specifier if one.operator in (">=", "==")]
            if low and not requirement.name.startswith("nppac"):
                key = requirement.name.lower()
                ends[key] = max([*low, ends.get(key, "0")], key=_as_numbers)
    return [f"{name}=={version}" for name, version in sorted(ends.items())]


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def try_out(python: str, wheels: list[Path], constraints: Path, folder: Path) -> bool:
    """Whether the smoke test passes in a fresh environment of one Python."""
    if python == sys.executable:
        venv.create(folder, with_pip=True, clear=True)
    else:
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
    own = str(folder / "bin" / "python")
    install = [own, "-m", "pip", "install", "--quiet", "--no-compile", "-c", str(constraints)]
    installed = subprocess.run([*install, *map(str, wheels)], check=False)
    if installed.returncode:
        return False
    done = subprocess.run([own, "-P", str(SMOKE)], cwd=folder, env=_without_sources(), check=False)
    return done.returncode == 0


def _without_sources() -> dict[str, str]:
    """The environment variables but `PYTHONPATH`, which would hide the wheels."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


if __name__ == "__main__":
    sys.exit(main())
