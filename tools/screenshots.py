"""Pictures of pages at two widths, light and dark, and what sticks out of them.

    python -m tools.screenshots runs/quickstart/report.html --output shots

Prints every element that is wider than its page, outside boxes that scroll by themselves; the exit
code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.browser import Browser, find_browser

WIDTHS, SCHEMES = (1280, 400), ("light", "dark")
_STICKS_OUT = """
[...document.querySelectorAll("main *, [role=main] *, footer")].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width && box.right > document.documentElement.clientWidth + 1
    && !e.closest(".scroll, .table-wrapper, pre, svg");
}).map(e => e.tagName.toLowerCase() + "." + e.className + ": " + e.textContent.trim().slice(0, 40))
"""


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.screenshots",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pages", nargs="+", type=Path, help="HTML files")
    parser.add_argument("--output", type=Path, default=Path("shots"), help="folder of the pictures")
    arguments = parser.parse_args()
    program = find_browser()
    if program is None:
        print("no Chromium is installed: its command has to be on PATH", file=sys.stderr)
        return 2
    arguments.output.mkdir(parents=True, exist_ok=True)
    faults = 0
    with Browser(program) as browser:
        for page in arguments.pages:
            for width in WIDTHS:
                for scheme in SCHEMES:
                    browser.open(page, width=width, scheme=scheme)
                    name = f"{page.parent.name}-{page.stem}-{width}-{scheme}.png"
                    (arguments.output / name).write_bytes(browser.screenshot())
                    print(arguments.output / name)
                for fault in browser.value(_STICKS_OUT):
                    print(f"  sticks out at {width} px: {fault}")
                    faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
