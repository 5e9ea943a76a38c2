"""`starter`: a first experiment for somebody's demonstrations and environment, with its reasons.

A Gaussian process as the prior, and N-PPAC that starts as the prior and learns a bounded correction
of it, with the setting that gained on the arm of the documentation (`docs/results.md`).
"""

from __future__ import annotations

from typing import Any

from nppac_envs import Demonstrations

from nppac_agents.methods.nppac import NPPAC

MANY_STEPS = 15_000
"""Demonstrated steps from which on the sparse process replaces the exact one"""
EPISODES_FIRST = 20
"""Episodes of the prior before it is corrected"""
MOST_FIRST = 4_000
"""Environment steps that these take at most"""
WARM_UP = 1_000
"""Most updates of the critics alone, on these episodes"""
UPDATES_PER_EPISODE = 50
"""From few episodes, more teach the critics what these happened to have (`docs/results.md`)"""


def starter(
    env: dict[str, Any] | None,
    demonstrations: dict[str, Any],
    data: Demonstrations,
    prior_file: str | None = None,
) -> dict[str, Any]:
    """The experiment, as JSON.

    Args:
        env: the environment's field; None for cloning without one.
        demonstrations: the field that names `data`.
        data: what the settings depend on.
        prior_file: a fitted prior; None to fit one in the run.
    """
    experiment: dict[str, Any] = {"$comment": [_seen(data)]}
    if env is not None:
        experiment["env"] = env
    experiment["demonstrations"] = demonstrations | {"hash": data.hash}
    experiment["$comment"].append("demonstrations.hash: any other set under this name is refused.")
    if env is None:
        experiment["agent"] = {"kind": "bc", "standardise_states": True}
        experiment["$comment"].append(
            "agent: clones the demonstrations; env is what all else needs."
        )
        return experiment
    prior, why = _prior(data, prior_file)
    agent = _agent(env.get("horizon"))
    experiment |= {
        "prior": prior,
        "agent": agent,
        "training": {
            "env_steps": 20_000,
            "n_envs": 8,
            "start_steps": agent["rollout_steps"],
            "updates_per_step": _update_ratio(env.get("horizon")),
        },
        "evaluation": {"every": 2_500, "episodes": 20, "reporting_episodes": 100},
    }
    experiment["$comment"] += [
        why,
        "agent: starts as the prior and learns what to add. kl_budget (nats per action dimension) "
        "and trust_region (in the prior's standard deviations) say how far it may go: lower them "
        "where the success falls, raise them where it stands still. What is not named here has its "
        "default: `nppac-run schema`.",
        "agent.rollout_steps: some twenty episodes of the prior, on which critics alone learn "
        "first.",
        "training.updates_per_step: some fifty updates an episode, at least one in four steps; "
        "more learn what few episodes happened to have.",
        "agent.gamma: looks ahead about four tenths of the horizon, at most a hundred steps.",
        "checkpoints/best keeps the best policy of the run, the prior among the candidates.",
        "training.env_steps: steps of all n_envs environments together.",
        "evaluation: success of the deterministic policy on starts that it does not train on.",
    ]
    return experiment


def _agent(horizon: int | None) -> dict[str, Any]:
    """N-PPAC as a bounded correction of its prior: the field defaults, and what a task decides."""
    agent: dict[str, Any] = {"kind": "nppac", "start": "residual"}
    agent |= NPPAC().model_dump(include={"kl_budget", "trust_region"})
    agent["rollout_steps"] = min(EPISODES_FIRST * (horizon or MOST_FIRST), MOST_FIRST)
    agent["critic_warmup_updates"] = WARM_UP
    agent["gamma"] = round(min(0.99, max(0.9, 1 - 2.5 / horizon)), 4) if horizon else 0.99
    return agent


def _update_ratio(horizon: int | None) -> float:
    """Updates per environment step: `UPDATES_PER_EPISODE`, between a quarter and one."""
    return round(min(1.0, max(0.25, UPDATES_PER_EPISODE / horizon)), 2) if horizon else 1.0


def _seen(data: Demonstrations) -> str:
    return (
        f"Made for {data.n_episodes} episodes, {len(data)} steps, of {data.source}: "
        f"{data.state_dim} state and {data.action_dim} action dimensions."
    )


def _prior(data: Demonstrations, prior_file: str | None) -> tuple[dict[str, Any], str]:
    if prior_file is not None:
        return {"kind": "file", "path": prior_file}, "prior: the one in this file, as it is."
    if len(data) > MANY_STEPS:
        return (
            {"kind": "sparse-gp", "kernel": "matern12"},
            f"prior: a sparse Gaussian process, since there are over {MANY_STEPS:,} steps.",
        )
    prior = {
        "kind": "exact-gp",
        "kernel": "matern12",
        "task_covariance": "diagonal",
        "steps": 150,
        "subset_size": min(600, len(data)),
    }
    return prior, (
        "prior: a Gaussian process, uncertain away from the demonstrations; nppac-prior report "
        "says how healthy it is on these data."
    )
