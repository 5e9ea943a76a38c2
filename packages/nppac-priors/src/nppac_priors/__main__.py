"""`python -m nppac_priors` is `nppac-prior`."""

from __future__ import annotations

import sys

from nppac_priors.cli import main

if __name__ == "__main__":
    sys.exit(main())
