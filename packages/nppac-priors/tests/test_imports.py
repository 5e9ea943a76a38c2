from __future__ import annotations

import subprocess
import sys

import nppac_priors
import pytest

pytestmark = pytest.mark.medium


@pytest.mark.parametrize(
    "statement",
    [
        "import nppac_priors",
        "import nppac_priors.config",
        "import nppac_priors.plugin",
        "from nppac_priors import ExactGPConfig; ExactGPConfig.model_json_schema()",
        "from nppac_priors import prior_registry; prior_registry().parse({'kind': 'exact-gp'})",
    ],
)
def test_no_heavy_import_before_a_fit(statement):
    heavy = "{'torch', 'gpytorch', 'pyro', 'safetensors'}"
    code = f"import sys; {statement}; sys.exit(' '.join({heavy} & sys.modules.keys()) or 0)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_every_public_name_exists():
    names = [name for name in dir(nppac_priors) if not name.startswith("_")]
    assert {"ExactGPConfig", "Prior", "load_prior", "hookimpl", "prior_registry"} <= set(names)
    for name in names:
        assert getattr(nppac_priors, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = nppac_priors.no_such_name
