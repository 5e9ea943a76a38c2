"""`python -m nppac_agents` is `nppac-run`."""

from __future__ import annotations

import sys

from nppac_agents.cli import main

if __name__ == "__main__":
    sys.exit(main())
