from __future__ import annotations

import io

import torch
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.saved_prior import saved_prior
from nppac_priors import ExactGPConfig
from nppac_priors.gp.exact import prior as exact_prior


def test_an_exact_process_is_factorised_once_by_the_run_that_fits_it(tmp_path, monkeypatch):
    states = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    calls, decompose = [], exact_prior.decompose

    def counted(*arguments):
        calls.append(arguments)
        return decompose(*arguments)

    def fit():
        return ExactGPConfig(steps=2, subset_size=20).fit(states, states.tanh())

    monkeypatch.setattr(exact_prior, "decompose", counted)
    path, device = tmp_path / "prior.safetensors", torch.device("cpu")
    console = PlainConsole(io.StringIO())
    prior, checksum = saved_prior(path, None, fit, device=device, console=console)
    assert prior is not None
    first = prior.moments(states)
    assert len(calls) == 1
    resumed, _ = saved_prior(path, checksum, fit, device=device, console=console)
    assert resumed is not None
    again = resumed.moments(states)
    assert len(calls) == 2
    assert all(map(torch.equal, first, again))
