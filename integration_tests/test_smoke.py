"""What `tools.wheels` asks of fresh environments, asked of this one."""

from __future__ import annotations

import pytest

from tools import smoke


@pytest.mark.slow
def test_this_environment_does_what_fresh_ones_have_to():
    smoke.try_commands()
