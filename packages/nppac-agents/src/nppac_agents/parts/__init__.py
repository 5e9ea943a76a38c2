"""What methods are made of: parts that learn, distributions, divergences; loaded when first used.

A method's file imports this package at no cost and uses ``parts.Critics``, ``parts.Dual``, ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nppac_agents.lazy_names import lazy_names

if TYPE_CHECKING:
    from nppac_priors.cvae.networks import CVAE as CVAE
    from torch import no_grad as no_grad

    from nppac_agents.parts.advantages import generalised_advantages as generalised_advantages
    from nppac_agents.parts.advantages import steps_since_start as steps_since_start
    from nppac_agents.parts.constant_std_policy import ConstantStdPolicy as ConstantStdPolicy
    from nppac_agents.parts.critics import CriticEnsemble as CriticEnsemble
    from nppac_agents.parts.critics import Critics as Critics
    from nppac_agents.parts.discrepancy import mmd as mmd
    from nppac_agents.parts.distributions import DiagonalGaussian as DiagonalGaussian
    from nppac_agents.parts.divergences import analytic_kl as analytic_kl
    from nppac_agents.parts.divergences import sampled_kl as sampled_kl
    from nppac_agents.parts.dual import Dual as Dual
    from nppac_agents.parts.fisher import FisherProduct as FisherProduct
    from nppac_agents.parts.fisher import flat_gradient as flat_gradient
    from nppac_agents.parts.fisher import move as move
    from nppac_agents.parts.part import Part as Part
    from nppac_agents.parts.policy_network import PolicyNetwork as PolicyNetwork
    from nppac_agents.parts.solvers import conjugate_gradients as conjugate_gradients
    from nppac_agents.parts.standardised_policy import StandardisedPolicy as StandardisedPolicy
    from nppac_agents.parts.standardiser import Standardiser as Standardiser
    from nppac_agents.parts.state_value import StateValue as StateValue
    from nppac_agents.parts.tensors import fixed_normal as fixed_normal
    from nppac_agents.parts.tensors import normal as normal
    from nppac_agents.parts.tensors import shuffled_passes as shuffled_passes
    from nppac_agents.parts.value_baseline import ValueBaseline as ValueBaseline

__getattr__, __dir__ = lazy_names(
    {
        "CVAE": "nppac_priors.cvae.networks",
        "ConstantStdPolicy": "nppac_agents.parts.constant_std_policy",
        "CriticEnsemble": "nppac_agents.parts.critics",
        "Critics": "nppac_agents.parts.critics",
        "DiagonalGaussian": "nppac_agents.parts.distributions",
        "Dual": "nppac_agents.parts.dual",
        "Part": "nppac_agents.parts.part",
        "PolicyNetwork": "nppac_agents.parts.policy_network",
        "StandardisedPolicy": "nppac_agents.parts.standardised_policy",
        "StateValue": "nppac_agents.parts.state_value",
        "Standardiser": "nppac_agents.parts.standardiser",
        "FisherProduct": "nppac_agents.parts.fisher",
        "flat_gradient": "nppac_agents.parts.fisher",
        "mmd": "nppac_agents.parts.discrepancy",
        "move": "nppac_agents.parts.fisher",
        "conjugate_gradients": "nppac_agents.parts.solvers",
        "generalised_advantages": "nppac_agents.parts.advantages",
        "steps_since_start": "nppac_agents.parts.advantages",
        "ValueBaseline": "nppac_agents.parts.value_baseline",
        "analytic_kl": "nppac_agents.parts.divergences",
        "fixed_normal": "nppac_agents.parts.tensors",
        "normal": "nppac_agents.parts.tensors",
        "no_grad": "torch",
        "shuffled_passes": "nppac_agents.parts.tensors",
        "sampled_kl": "nppac_agents.parts.divergences",
    }
)
