"""One row for each built-in method: what the tests of all methods need to know about it.

`test_family`, `test_every_agent` and `test_learning` read it; a new method adds a row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SMALL = {"policy_hidden": (16,), "critic_hidden": (16,), "batch_size": 32}
ROOM = 40_000
"""Transitions that the replay of every method has room for: one update of some takes as many"""
LEARNING = {
    "policy_hidden": (64, 64), "critic_hidden": (64, 64), "batch_size": 64, "gamma": 0.9,
    "tau": 0.02, "policy_learning_rate": 1e-3, "critic_learning_rate": 1e-3,
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A method's row; settings that it has no field for are left out of the shared ones."""

    small: dict[str, Any] = field(default_factory=dict)
    """Settings beside `SMALL` with which it runs through all of its phases in seconds"""
    phases: tuple[str, ...] = ("online",)
    """Those that a small run logs"""
    updates: int | None = 90
    """All of a small run: 150 environment steps of which 60 earn none; None: not run so"""
    first_updates: int = 0
    """Those before the first evaluation"""
    dry_steps: int = 3
    """Optimizer steps of one update of every phase"""
    logs: frozenset[str] = frozenset()
    """Losses beside those of every method"""
    learning: dict[str, Any] | None = None
    """Settings beside `LEARNING` that learn the point task; None: another test shows it"""
    online: int = 400
    """Updates with interaction until it has learned it"""
    follows_every: int = 1
    """Updates after which the slow critics follow"""
    mixed: dict[str, Any] | None = None
    """Settings beside `LEARNING` that beat cloning on demonstrations of mixed quality, offline"""
    without: dict[str, Any] | None = None
    """Those that take out its own term (weights, penalty, dual): with them it learns none of it"""


CRITIC = frozenset({"critic_loss", "critic_value", "target_value", "critic_grad_norm"})
SOFT = CRITIC | {"entropy", "alpha"}
GAP = SOFT | {"conservative_gap", "multiplier"}
CONSERVATIVE = {"offline_updates": 1_500, "conservative_samples": 4}
TEMPERATURE = {"temperature_learning_rate": 1e-2}
ENSEMBLE = {"n_critics": 3, "critic_updates_per_actor_update": 2}

METHODS = {
    "abm": Row(
        dry_steps=14, small={"samples": 4, "target_period": 2, "offline_updates": 60},
        phases=("offline", "online"), updates=150,
        logs=CRITIC | {"temperature", "behaviour_loss", "kept", "mean_kl", "std_kl"},
        mixed={"offline_updates": 1_500, "target_period": 20, "tau": 1.0, "samples": 10,
               "mean_epsilon": 0.05, "std_epsilon": 1e-3, "behaviour_learning_rate": 1e-3},
        without={"advantage_weights": "one"},
    ),
    "awac": Row(
        dry_steps=5, small={"offline_updates": 60, "rollout_steps": 60, "cloning_updates": 10},
        phases=("pretrain", "offline", "online"), updates=160, first_updates=10, logs=CRITIC,
        learning={"offline_updates": 400},
        mixed={"offline_updates": 1_500, "advantage_temperature": 0.3},
        without={"advantage_temperature": 1e6},
    ),
    "awr": Row(
        dry_steps=10, small={"steps_per_update": 50, "offline_updates": 60, "critic_updates": 2,
                             "policy_updates": 3},
        phases=("offline", "online"), updates=63, logs=frozenset({"critic_loss", "largest_weight"}),
        mixed={"steps_per_update": 1, "offline_updates": 16, "policy_updates": 200,
               "critic_updates": 100, "policy_learning_rate": 0.002, "critic_learning_rate": 0.1,
               "advantage_temperature": 0.3, "trace_decay": 0.5},
        without={"advantage_temperature": 1e6},
    ),
    "bc": Row(
        dry_steps=1, small={"updates": 60}, phases=("offline",), updates=60,
        learning={"updates": 500, "policy_hidden": (256, 256), "batch_size": 128}, online=0,
    ),
    "bcq": Row(
        dry_steps=6, small={"offline_updates": 60, "behaviour_hidden": (16,)},
        phases=("offline", "online"), updates=150,
        logs=CRITIC | {"behaviour_loss", "behaviour_grad_norm", "perturbation"},
        mixed={"offline_updates": 1_500, "behaviour_hidden": (64, 64), "reach": 0.1},
        without={"reach": 2.0},
    ),
    "bear": Row(
        dry_steps=8, small={"offline_updates": 60, "warmup_updates": 1, "behaviour_hidden": (16,)},
        phases=("offline", "online"), updates=150,
        logs=CRITIC | {"behaviour_loss", "behaviour_grad_norm", "mmd", "multiplier"},
        mixed={"offline_updates": 1_500, "warmup_updates": 300, "behaviour_hidden": (64, 64),
               "mmd_samples": 5},
        without={"largest_mmd": 1e3},
    ),
    "brac": Row(
        dry_steps=18, small={"behaviour_updates": 20, "offline_updates": 60, "warmup_updates": 1,
                             "divergence": "wasserstein", "largest_divergence": 0.1,
                             "refit_behaviour": True},
        phases=("behaviour", "offline", "online"), updates=170,
        logs=CRITIC | {"divergence", "alpha", "behaviour_loss", "discriminator_loss"},
        mixed={"behaviour_updates": 500, "offline_updates": 1_500, "warmup_updates": 200,
               "alpha": 0.1},
        without={"alpha": 1e-8},
    ),
    "brac-plus": Row(
        dry_steps=14, small={"behaviour_updates": 20, "start_updates": 10, "offline_updates": 60,
                             "behaviour_hidden": (16,), "refit_behaviour": True},
        phases=("behaviour", "start", "value", "offline", "online"), updates=190,
        logs=CRITIC | {"divergence", "entropy", "behaviour_loss"},
        mixed={"behaviour_updates": 600, "start_updates": 200, "offline_updates": 1_200,
               "behaviour_hidden": (64, 64), "multiplier_learning_rate": 1e-3, "members": 1,
               "beta": 0.1, "entropy": -1.0, "largest_divergence": 3.0,
               "policy_learning_rate": 3e-3},
        without={"largest_divergence": 1e6, "gradient_penalty": 0.0, "start_updates": 0},
    ),
    "cal-ql": Row(
        dry_steps=8, small={"offline_updates": 60, "conservative_samples": 2, "largest_gap": 1.0,
                            "backup_samples": 2},
        phases=("offline", "online"), updates=150, logs=GAP,
        mixed=CONSERVATIVE | TEMPERATURE | {"backup_samples": 4},
        without={"conservative_weight": 0.0},
    ),
    "cql": Row(
        dry_steps=8, small={"offline_updates": 60, "conservative_samples": 2, "largest_gap": 1.0,
                            "warmup_updates": 1},
        phases=("offline", "online"), updates=150, logs=GAP,
        mixed=CONSERVATIVE | TEMPERATURE | {"warmup_updates": 0, "conservative_weight": 1.0},
        without={"conservative_weight": 0.0},
    ),
    "crr": Row(
        dry_steps=4, small={"offline_updates": 60, "copy_every": 2},
        phases=("offline", "online"), updates=150, logs=CRITIC | {"advantage", "mean_weight"},
        follows_every=2,
        mixed={"offline_updates": 1_500, "weights": "binary", "copy_every": 50},
        without={"weights": "exponential", "advantage_temperature": 1e6},
    ),
    "dapg": Row(
        small={"cloning_epochs": 1}, phases=("pretrain", "online"), updates=None, logs=CRITIC,
    ),
    "iql": Row(
        dry_steps=6, small={"offline_updates": 60, "value_hidden": (16,)},
        phases=("offline", "online"),
        updates=150, logs=CRITIC | {"value_loss", "value_grad_norm"},
        learning={"offline_updates": 1_000, "value_learning_rate": 1e-3, "value_hidden": (64, 64)},
        online=1_000,
        mixed={"offline_updates": 1_500, "value_learning_rate": 1e-3, "value_hidden": (64, 64),
               "expectile": 0.8, "inverse_temperature": 5.0},
        without={"inverse_temperature": 0.0},
    ),
    "mbop": Row(
        dry_steps=7, small={"model_updates": 20, "model_hidden": (16,), "offline_updates": 60,
                            "value_hidden": (16,), "horizon": 3, "trajectories": 10,
                            "refit_model": True},
        phases=("model", "offline", "online"), updates=170,
        logs=frozenset({"value_loss", "value_grad_norm", "model_loss", "model_grad_norm"}),
        mixed={"model_updates": 3_000, "offline_updates": 500, "batch_size": 256,
               "model_hidden": (128, 128), "model_members": 10, "model_elites": 10,
               "horizon": 5, "sigma": 1.0, "beta": 0.3, "kappa": 3.0, "rounds": 3},
        without={"horizon": 0},
    ),
    "mopo": Row(
        dry_steps=9, small={"model_updates": 20, "model_hidden": (16,), "offline_updates": 60,
                            "rollouts_per_update": 8, "rollout_length": 2, "kept_updates": 5,
                            "refit_model": True},
        phases=("model", "offline", "online"), updates=170,
        logs=SOFT | {"model_loss", "model_grad_norm", "penalty"},
        mixed={"model_updates": 1_000, "model_hidden": (64, 64), "offline_updates": 1_500,
               "kept_updates": 500, "penalty": 1.0, "real_share": 0.5, **TEMPERATURE},
        without={"penalty": 0.0, "real_share": 0.05},
    ),
    "mpo": Row(
        dry_steps=6, small={"samples": 4, "target_period": 2},
        logs=CRITIC | {"temperature", "effective_samples", "mean_kl", "std_kl"},
        learning={"target_period": 20, "tau": 1.0, "samples": 10, "mean_epsilon": 0.05,
                  "std_epsilon": 1e-3},
        online=1_500,
        without={"epsilon": 1e-8},
    ),
    "nppac": Row(
        small={"rollout_steps": 40, "critic_warmup_updates": 10, "pretraining_epochs": 1},
        phases=("warm-up", "online"), updates=100, logs=CRITIC | {"kl", "prior_std"}, dry_steps=4,
        learning={"alpha": 0.05, "start": "fresh", "squash": True}, online=1_500,
        without={"alpha": 1e-6},
    ),
    "rlpd": Row(
        dry_steps=1, small=ENSEMBLE, logs=SOFT, learning=ENSEMBLE | TEMPERATURE, online=1_500,
    ),
    "sac": Row(logs=SOFT, learning=TEMPERATURE, online=1_500),
    "sac-bc": Row(
        dry_steps=3, small={"cloning_batch_size": 16}, logs=SOFT,
        learning=TEMPERATURE | {"actor_weight": 0.1, "cloning_batch_size": 64}, online=250,
        without={"cloning_weight": 0.0},
    ),
    "sacfd": Row(
        dry_steps=4, small={"cloning_updates": 10}, phases=("pretrain", "online"), updates=100,
        first_updates=10,
        logs=SOFT, learning=TEMPERATURE, online=1_500,
    ),
    "td3-bc": Row(
        dry_steps=3, small={"offline_updates": 60}, phases=("offline", "online"), updates=150,
        logs=CRITIC | {"cloning_error"}, follows_every=2,
        mixed={"offline_updates": 1_500}, without={"value_weight": 1e3},
    ),
    "wsrl": Row(
        dry_steps=8, small={"offline_updates": 60, "rollout_steps": 60, "conservative_samples": 2,
                            "backup_samples": 2, "largest_gap": 1.0, "n_critics": 3},
        phases=("offline", "online"), updates=150, logs=GAP,
        learning=TEMPERATURE | {"offline_updates": 500, "n_critics": 3, "conservative_samples": 4,
                                "backup_samples": 4},
        online=600,
        without={"offline_updates": 0},
    ),
}  # fmt: skip


def configured(cls: type, *settings: dict[str, Any]) -> Any:
    """A method with the later settings before the earlier; the first are shared, see `Row`."""
    shared, *own = settings
    fields = {name: value for name, value in shared.items() if name in cls.model_fields}
    for more in own:
        fields |= more
    return cls(**fields)
