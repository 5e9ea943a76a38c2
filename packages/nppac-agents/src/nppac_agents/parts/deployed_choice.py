"""How an export names a policy that chooses among candidate actions by its critic."""

from __future__ import annotations

from typing import Any

from nppac_priors.cvae.networks import CVAE
from nppac_priors.deployed.choice import CANDIDATES, CRITIC, PERTURBATION
from nppac_priors.deployed.spec import ChoiceSpec, NetworkSpec
from torch import Tensor

from nppac_agents.parts.critics import CriticEnsemble
from nppac_agents.parts.deployment import Deployed, Network, network, network_of
from nppac_agents.parts.perturbation import Perturbation
from nppac_agents.parts.policy_network import LOG_STD_RANGE, PolicyNetwork


def best_sample(policy: PolicyNetwork, noise: Tensor, critics: CriticEnsemble) -> Deployed:
    """Of a squashed policy's samples, one for each row of noise (N, A), the first critic's best."""
    candidates = network(policy.body, policy.standardiser)
    return _choice(noise, {CANDIDATES: candidates, CRITIC: _first(critics)}, LOG_STD_RANGE)


def best_behaviour(
    behaviour: CVAE, latents: Tensor, perturbation: Perturbation, critics: CriticEnsemble
) -> Deployed:
    """Of a behaviour's actions, one for each latent (N, Z), moved, the first critic's best."""
    layers: list[Any] = [layer for layer in behaviour.decoder if hasattr(layer, "weight")]
    pairs = [(layer.weight, layer.bias) for layer in layers]
    networks = {
        CANDIDATES: network_of(pairs, perturbation.standardiser, "relu"),
        PERTURBATION: network(perturbation.body, perturbation.standardiser),
        CRITIC: _first(critics),
    }
    return _choice(latents, networks, reach=perturbation.reach)


def _choice(
    noise: Tensor,
    networks: dict[str, Network],
    log_range: tuple[float, float] | None = None,
    reach: float = 0.0,
) -> Deployed:
    specs = {prefix.rstrip("/"): NetworkSpec(**fields) for prefix, (fields, _) in networks.items()}
    tensors = {f"{p}{name}": t for p, (_, named) in networks.items() for name, t in named.items()}
    spec = ChoiceSpec(form="choice", log_range=log_range, reach=reach, **specs)
    return spec, {"noise": noise} | tensors


def _first(ensemble: CriticEnsemble) -> Network:
    pairs = [(w[0].t(), b[0]) for w, b in zip(ensemble.weights, ensemble.biases, strict=True)]
    fields, tensors = network_of(pairs, ensemble.standardiser, "relu")
    gains = {f"gain_{number}": gain[0].detach() for number, gain in enumerate(ensemble.gains)}
    return fields | {"layer_norm": ensemble.layer_norm}, tensors | gains
