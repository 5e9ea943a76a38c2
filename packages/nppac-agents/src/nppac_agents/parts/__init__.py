"""What methods are made of: parts that learn, distributions, divergences; loaded when first used.

A method's file imports this package at no cost and uses `parts.Critics`, `parts.Dual`, ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nppac_agents.lazy_names import lazy_names

if TYPE_CHECKING:
    from nppac_priors.cvae.ensemble import CVAEEnsemble as CVAEEnsemble
    from nppac_priors.cvae.networks import CVAE as CVAE
    from nppac_priors.cvae.networks import kl_to_unit as kl_to_unit

    from nppac_agents.data.best_episodes import best_episodes as best_episodes
    from nppac_agents.data.episode_columns import UNKNOWN as UNKNOWN
    from nppac_agents.parts.advantages import generalised_advantages as generalised_advantages
    from nppac_agents.parts.advantages import standardised as standardised
    from nppac_agents.parts.advantages import steps_since_start as steps_since_start
    from nppac_agents.parts.behaviour_bound import draws as draws
    from nppac_agents.parts.behaviour_bound import kl_bound as kl_bound
    from nppac_agents.parts.constant_std_policy import ConstantStdPolicy as ConstantStdPolicy
    from nppac_agents.parts.critics import CriticEnsemble as CriticEnsemble
    from nppac_agents.parts.critics import Critics as Critics
    from nppac_agents.parts.deployed_choice import best_behaviour as best_behaviour
    from nppac_agents.parts.deployed_choice import best_sample as best_sample
    from nppac_agents.parts.deterministic_policy import DeterministicPolicy as DeterministicPolicy
    from nppac_agents.parts.discrepancy import mmd as mmd
    from nppac_agents.parts.discriminator import Discriminator as Discriminator
    from nppac_agents.parts.distributions import DiagonalGaussian as DiagonalGaussian
    from nppac_agents.parts.divergences import analytic_kl as analytic_kl
    from nppac_agents.parts.divergences import sampled_kl as sampled_kl
    from nppac_agents.parts.dual import Dual as Dual
    from nppac_agents.parts.dynamics import Dynamics as Dynamics
    from nppac_agents.parts.dynamics import DynamicsEnsemble as DynamicsEnsemble
    from nppac_agents.parts.dynamics import outcomes_of as outcomes_of
    from nppac_agents.parts.fisher import natural_step as natural_step
    from nppac_agents.parts.fitted_anew import fitted_anew as fitted_anew
    from nppac_agents.parts.imagined_rows import ImaginedRows as ImaginedRows
    from nppac_agents.parts.part import Part as Part
    from nppac_agents.parts.perturbation import Perturbation as Perturbation
    from nppac_agents.parts.planning import Planner as Planner
    from nppac_agents.parts.policy_network import PolicyNetwork as PolicyNetwork
    from nppac_agents.parts.policy_network import TrustRegion as TrustRegion
    from nppac_agents.parts.promises import promised_and_returned as promised_and_returned
    from nppac_agents.parts.promises import unexplained as unexplained
    from nppac_agents.parts.regressors import Regressors as Regressors
    from nppac_agents.parts.slopes import action_slopes as action_slopes
    from nppac_agents.parts.standardised_policy import StandardisedPolicy as StandardisedPolicy
    from nppac_agents.parts.standardiser import Standardiser as Standardiser
    from nppac_agents.parts.state_value import StateValue as StateValue
    from nppac_agents.parts.tensors import cat as cat
    from nppac_agents.parts.tensors import fixed_normal as fixed_normal
    from nppac_agents.parts.tensors import integers as integers
    from nppac_agents.parts.tensors import no_grad as no_grad
    from nppac_agents.parts.tensors import normal as normal
    from nppac_agents.parts.tensors import shuffled_passes as shuffled_passes
    from nppac_agents.parts.tensors import stack as stack
    from nppac_agents.parts.tensors import uniform as uniform
    from nppac_agents.parts.value_baseline import ValueBaseline as ValueBaseline

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        ".advantages": "generalised_advantages standardised steps_since_start",
        ".behaviour_bound": "draws kl_bound",
        ".constant_std_policy": "ConstantStdPolicy",
        ".critics": "CriticEnsemble Critics",
        ".deployed_choice": "best_behaviour best_sample",
        ".deterministic_policy": "DeterministicPolicy",
        ".distributions": "DiagonalGaussian",
        ".discrepancy": "mmd",
        ".discriminator": "Discriminator",
        ".divergences": "analytic_kl sampled_kl",
        ".dual": "Dual",
        ".dynamics": "Dynamics DynamicsEnsemble outcomes_of",
        ".fisher": "natural_step",
        ".fitted_anew": "fitted_anew",
        ".imagined_rows": "ImaginedRows",
        ".part": "Part",
        ".perturbation": "Perturbation",
        ".planning": "Planner",
        ".policy_network": "PolicyNetwork TrustRegion",
        ".promises": "promised_and_returned unexplained",
        ".regressors": "Regressors",
        ".slopes": "action_slopes",
        ".standardised_policy": "StandardisedPolicy",
        ".standardiser": "Standardiser",
        ".state_value": "StateValue",
        ".tensors": "cat fixed_normal integers no_grad normal shuffled_passes stack uniform",
        ".value_baseline": "ValueBaseline",
        "nppac_agents.data.best_episodes": "best_episodes",
        "nppac_agents.data.episode_columns": "UNKNOWN",
        "nppac_priors.cvae.ensemble": "CVAEEnsemble",
        "nppac_priors.cvae.networks": "CVAE kl_to_unit",
    },
)
