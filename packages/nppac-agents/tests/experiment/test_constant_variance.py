"""Figure 3 of Rudner et al. 2021, in short: the narrower the prior, the larger KL and gradient."""

from __future__ import annotations

import io

import pytest
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run import run_experiment
from nppac_agents.running.run_directory import RunDirectory

SHORT = [
    "training.env_steps=1300", "training.start_steps=1000", "agent.batch_size=64",
    "evaluation.episodes=1", "evaluation.reporting_episodes=0", "evaluation.every=100000",
    "agent.pretraining_epochs=1", "prior.prior.steps=300", "device=cpu",
    "logging.every=50", "logging.tensorboard=false", "logging.frames=0",
]  # fmt: skip


@pytest.mark.slow
def test_kl_and_policy_gradient_grow_as_the_priors_variance_shrinks(repository, tmp_path):
    found = []
    for variance in ("1e-2", "5e-3", "1e-3"):
        path = repository / "examples" / f"halfcheetah-constant-variance-{variance}.json"
        config = load_experiment(path, SHORT)
        run = RunDirectory(tmp_path / variance)
        run.checkpoints.mkdir(parents=True)
        run_experiment(config, run_dir=run, console=PlainConsole(io.StringIO()))
        online = [e for e in read_metrics(run.metrics) if e["phase"] == "online"]
        found.append(
            tuple(sum(e[n] for e in online) / len(online) for n in ("kl", "actor_grad_norm"))
        )
    divergences, gradients = zip(*found, strict=True)
    assert divergences[0] < divergences[1] < divergences[2]
    assert gradients[0] < gradients[1] < gradients[2]
