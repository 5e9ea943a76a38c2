"""`python -m nppac_envs` is `nppac-demos`."""

from __future__ import annotations

import sys

from nppac_envs.cli import main

if __name__ == "__main__":
    sys.exit(main())
