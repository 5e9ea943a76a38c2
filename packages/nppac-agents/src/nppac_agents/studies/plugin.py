"""The executors of this package, through the same hook as everybody else's."""

from __future__ import annotations

from nppac_agents.studies.hookspecs import hookimpl
from nppac_agents.studies.local import LocalExecutor
from nppac_agents.studies.on_ray import RayExecutor
from nppac_agents.studies.slurm import SlurmExecutor


@hookimpl
def nppac_executor_configs() -> list[type]:
    """The built-in executors."""
    return [LocalExecutor, SlurmExecutor, RayExecutor]
