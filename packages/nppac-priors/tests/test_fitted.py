"""What a prior returns is held to its contract once, and a plugin's fault has the plugin's name."""

from __future__ import annotations

import pytest
import torch
from nppac_priors.config import PriorConfig
from nppac_priors.errors import ContractError, NumericalError, PluginFaultError, PriorFileError
from nppac_priors.fitted import rebuilt
from nppac_priors.loading import load_prior
from nppac_priors.registry import Registry, prior_registry

pytestmark = pytest.mark.medium

SOURCE = """
from typing import Literal
import numpy as np, sys
import torch
from nppac_priors import GaussianPrior, Prior, PriorConfig, hookimpl

class Mine(GaussianPrior):
    device = torch.device("cpu")
    def state(self, *, include_factors=False): return {state}
    def _to(self, device): return self
    def tensors(self, states):
        n, A = len(states), self.action_dim
        mean, std = torch.zeros(n, A), torch.ones(n, A)
        return {moments}

class MineConfig(PriorConfig):
    kind: Literal["mine"] = "mine"
    def _fit(self, states, actions, **options):
        S, A = states.shape[1], actions.shape[1]
        prior = Mine(self, state_dim=S, action_dim=A)
        return {fit}
    def from_state(self, tensors, *, device="cpu"):
        return {from_state}

@hookimpl
def nppac_prior_configs():
    return [MineConfig]
"""

CONTRACT = {
    "one column of means": ("mean[:, :1], std", r"mean is a Tensor of shape \(16, 1\)"),
    "one column of stds": ("mean, std[:, :1]", r"std is a Tensor of shape \(16, 1\)"),
    "one row": ("mean[:1], std", r"mean is a Tensor of shape \(1, 2\)"),
    "no columns": ("mean[:, 0], std", r"mean is a Tensor of shape \(16,\)"),
    "integers": ("mean.long(), std", "type torch.int64"),
    "complex": ("mean.cfloat(), std", "type torch.complex64"),
    "arrays": ("mean.numpy(), std.numpy()", "mean is a ndarray"),
    "None": ("None", "moments are None"),
    "a tensor": ("torch.stack((mean, std))", "moments are a Tensor of shape"),
    "three": ("mean, std, std", "moments are a tuple"),
    "another device": ("mean.to('meta'), std", "on meta"),
}
NUMBERS = {
    "nan": ("mean * torch.nan, std", "mean is not finite"),
    "infinite std": ("mean, std / 0", "std not finite"),
    "std of zero": ("mean, std * 0", "finite and positive"),
    "negative std": ("mean, -std", "finite and positive"),
}


@pytest.fixture
def plugin(distribution):
    """The config of a prior of distribution acme-priors 2.1, with parts of its code replaced."""

    def make(moments="mean, std", fit="prior", from_state="None", state="{}") -> PriorConfig:
        source = SOURCE.format(moments=moments, fit=fit, from_state=from_state, state=state)
        distribution("acme-priors", "2.1", "acme_fitted", source)
        return prior_registry.__wrapped__().parse({"kind": "mine"})

    return make


def test_a_prior_that_keeps_the_contract_comes_as_it_is(plugin, demonstrations):
    prior = plugin().fit(*demonstrations)
    assert type(prior).__name__ == "Mine"
    assert prior.moments(demonstrations[0])[0].shape == (40, 2)


@pytest.mark.parametrize(
    ("moments", "message"), (CONTRACT | NUMBERS).values(), ids=[*CONTRACT, *NUMBERS]
)
def test_wrong_moments_stop_at_the_fit(plugin, demonstrations, moments, message):
    with pytest.raises(PluginFaultError, match=message) as caught:
        plugin(moments).fit(*demonstrations)
    assert str(caught.value).startswith("plugin acme-priors 2.1: prior 'mine': ")
    assert "\n" not in str(caught.value)


def test_moments_that_go_wrong_later_stop_there(plugin, demonstrations):
    states = demonstrations[0]
    prior = plugin("(mean, std) if n == 16 else (mean[:, :1], std)").fit(*demonstrations)
    for query in (prior, prior.moments, prior.mean):
        with pytest.raises(PluginFaultError, match=r"plugin acme-priors 2\.1.*shape \(40, 1\)"):
            query(states)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("None", "returned None, has to return a Prior"),
        ("'fitted'", "returned a str, has"),
        ("[prior]", "returned a list, has"),
        ("actions", r"returned a Tensor of shape \(40, 2\) and type torch.float32"),
        ("Mine(self, state_dim=A, action_dim=A)", "3 state and 2 action .* has 2 and 2"),
        (
            "setattr(type(self), 'gaussian', False) or prior",
            "gaussian is False in its config, and _fit\\(\\) returned a Mine",
        ),
        ("Mine.__new__(Mine)", "has no config, state_dim, action_dim; it has to call super"),
        (
            "setattr(prior, 'moments', lambda s: (torch.zeros(16, 1),) * 2) or prior",
            r"mean is a Tensor of shape \(16, 1\)",
        ),
    ],
)
def test_what_fit_returns_has_to_be_a_prior_of_the_data(plugin, demonstrations, result, message):
    with pytest.raises(PluginFaultError, match=message):
        plugin(fit=result).fit(*demonstrations)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("np.zeros(1)", "its distribution is a ndarray of shape"),
        ("torch.distributions.Normal(torch.zeros(len(s), 1), 1.0)", r"shape \(16, 1\), has to"),
    ],
)
def test_a_distribution_has_a_row_a_state(plugin, demonstrations, result, message):
    fit = f"setattr(prior, '_distribution', lambda s: {result}) or prior"
    with pytest.raises(PluginFaultError, match=message):
        plugin(fit=fit).fit(*demonstrations)


def test_a_plugin_from_before_fit_was_shared_is_told_what_to_change(distribution):
    source = SOURCE.replace("def _fit", "def fit").format(
        state="{}", moments="mean, std", fit="prior", from_state="None"
    )
    distribution("acme-priors", "2.1", "acme_fitted", source)
    (broken,) = prior_registry.__wrapped__().broken
    assert str(broken).startswith("acme-priors 2.1 (TypeError: MineConfig overrides fit")
    assert "rename it to _fit(self, states, actions, *, episode_lengths" in str(broken)


def test_what_is_rebuilt_has_to_be_a_prior(plugin, demonstrations, tmp_path):
    config = plugin()
    registry = prior_registry.__wrapped__()
    with pytest.raises(PluginFaultError, match=r"from_state\(\) returned None, has to"):
        rebuilt(config, {}, device="cpu")
    prior = config.fit(*demonstrations)
    prior.save(tmp_path / "prior.safetensors")
    with pytest.raises(PluginFaultError, match=r"plugin acme-priors 2\.1: .*from_state"):
        load_prior(tmp_path / "prior.safetensors", registry=registry)


def test_a_file_that_its_plugin_cannot_read_is_the_files_fault(plugin, demonstrations, tmp_path):
    prior = plugin(from_state="tensors['weight']").fit(*demonstrations)
    prior.save(tmp_path / "prior.safetensors")
    with pytest.raises(PriorFileError, match="cannot be rebuilt: KeyError: 'weight'"):
        load_prior(tmp_path / "prior.safetensors", registry=prior_registry.__wrapped__())


@pytest.mark.parametrize("state", ["None", "[torch.zeros(1)]", "{'mean': 1.0}"])
def test_what_is_saved_has_to_be_tensors_by_name(plugin, demonstrations, tmp_path, state):
    prior = plugin(state=state).fit(*demonstrations)
    with pytest.raises(PluginFaultError, match=r"plugin acme-priors 2\.1: .*dict of tensors"):
        prior.save(tmp_path / "prior.safetensors")
    assert list(tmp_path.glob("*.safetensors*")) == []


def test_a_plugins_prior_within_a_wrapper_is_the_plugins(plugin, demonstrations):
    plugin("mean[:, :1], std")
    registry: Registry = prior_registry.__wrapped__()
    wrapper = registry.get("variance-floor").model_construct(
        prior=registry.parse({"kind": "mine"}), min_std=0.1
    )
    with pytest.raises(PluginFaultError, match=r"plugin acme-priors 2\.1: prior 'mine': mean is"):
        wrapper.fit(*demonstrations)


def test_a_prior_that_is_no_plugins_has_the_same_checks(linear_config, demonstrations):
    prior = linear_config().fit(*demonstrations)
    prior.weight = prior.weight * torch.nan
    with pytest.raises(NumericalError, match=r"^prior 'linear': mean is not finite"):
        prior.moments(demonstrations[0])
    prior.weight = torch.ones(3, 1)
    with pytest.raises(ContractError, match=r"^prior 'linear': mean is a Tensor of shape \(40, 1"):
        prior.moments(demonstrations[0])
