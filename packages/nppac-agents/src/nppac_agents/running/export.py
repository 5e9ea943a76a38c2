"""A run's policy as a folder that needs no run, no environment and no demonstrations."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from nppac_envs import Demonstrations
from nppac_priors import DeployedPolicy, GaussianPrior, load_policy
from nppac_priors.atomic_files import write_bytes, write_json
from nppac_priors.deployed.alarm import Alarm
from nppac_priors.deployed.distillation import deviation, distilled
from nppac_priors.deployed.files import CARD_FILE, PAGE_FILE, save_policy
from nppac_priors.deployed.program import require_onnx
from nppac_priors.errors import ConfigError, DataError
from nppac_priors.thinning import evenly

from nppac_agents.agent import Agent
from nppac_agents.running.console import Console
from nppac_agents.running.policy_card import card, environment_of, page
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import run_policy, visited

ONNX, PROGRAM = "policy.onnx", "policy.pt2"
_VISITED = 2_000
"""States of a run that its prior is distilled for, and as many others that it is compared at"""


def export(
    run_dir: RunDirectory,
    folder: Path,
    policy: str | None,
    console: Console,
    *,
    with_alarm: bool = True,
    distil: int | None = None,
    onnx: bool = False,
    program: bool = False,
    licence: str | None = None,
) -> None:
    """Write a policy with its prior, its alarm and a card for people.

    Args:
        run_dir: of the run.
        folder: what `nppac_priors.load_policy` reads; it has to be new or empty.
        policy: which, as `run_policy` takes it.
        console: where progress goes.
        with_alarm: measure the prior without each demonstrated episode; where it can.
        distil: inducing points that exact Gaussian processes in its prior are reduced to, for the
            states that the run visited.
        onnx: also write it as an ONNX file.
        program: also write it as a `torch.export` program.
        licence: of the policy, in a line, for its card.

    Raises:
        ConfigError: something is in the folder, the run has no such policy, or its method acts in
            a way that cannot be exported; the extra for ONNX is missing; or, with the folder
            written, the policy is too large for one program.
        DataError, PriorFileError: a file of the run is damaged.
        PolicyFileError: the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: is there already, and not empty; name another folder")
    if onnx:
        require_onnx()
    found = run_policy(run_dir, policy)
    agent = found.actor
    if not isinstance(agent, Agent):
        raise ConfigError(f"the prior alone is a file already: {run_dir.prior}")
    actor, tensors = agent.method.deployed(agent)
    teacher = prior = agent.prior if isinstance(agent.prior, GaussianPrior) else None
    compared = None
    if distil is not None:
        if prior is None:
            raise ConfigError("the policy has no Gaussian prior; there is nothing to distil")
        known, compared = states_to_distil_for(run_dir, agent)
        prior = distilled(prior, distil, known)
    alarm = None
    if with_alarm and prior is not None:
        alarm = _alarm(prior, agent.demonstrations, console)
    fields = {
        "state_dim": agent.spaces.state_dim,
        "action_dim": agent.spaces.action_dim,
        "actor": actor,
        **_environment_fields(run_dir),
    }
    save_policy(folder, fields, tensors, prior, alarm)
    facts = card(run_dir, found, alarm, agent.demonstrations, folder, licence)
    deployed = functools.cache(lambda: load_policy(folder))
    if compared is not None:
        facts["distilled"] = _compared(deployed(), teacher, compared, console)
    write_json(folder / CARD_FILE, facts)
    write_bytes(folder / PAGE_FILE, page(facts).encode())
    if onnx:
        deployed().save_onnx(folder / ONNX)
    if program:
        deployed().save_program(folder / PROGRAM)
    console.line(
        f'{folder}: the policy {found.shown_as}; nppac_priors.load_policy("{folder}") reads it'
    )


class Compared(NamedTuple):
    """States (n, S) at which a distilled policy is held against its teacher, and what they are."""

    states: np.ndarray
    what: str


def states_to_distil_for(run_dir: RunDirectory, agent: Agent) -> tuple[np.ndarray | None, Compared]:
    """States that the run visited, to distil for, and others of them to compare at.

    The others are about the last quarter, and of other episodes; of a run that visited a single
    one, they are its last quarter. Of a run that visited none, the demonstrated states are
    compared.
    """
    lived = visited(run_dir, agent)
    states = lived.states.numpy()
    if len(states) < 2:
        assert agent.demonstrations is not None
        return None, Compared(agent.demonstrations.states, "demonstrated")
    begins = lived.terminated.maximum(lived.truncated)[:-1].nonzero().squeeze(1).numpy() + 1
    split, what = len(states) * 3 // 4, "visited, held-out"
    if len(begins):
        split = begins[np.abs(begins - split).argmin()]
    else:
        what = "visited, later"
    known, held_out = np.split(states, [split])
    return known[evenly(len(known), _VISITED)], Compared(held_out, what)


def _compared(
    deployed: DeployedPolicy, teacher: GaussianPrior | None, at: Compared, console: Console
) -> dict[str, Any]:
    """How far the distilled policy is off."""
    chosen = evenly(len(at.states), _VISITED)
    exact = DeployedPolicy(deployed.spec, deployed.actor, teacher, None)
    found = deviation(deployed, exact, at.states[chosen])
    console.line(f"distilled: at {len(chosen):,} {at.what} states {found}")
    return {"states": len(chosen), "of": at.what, **found.as_json()}


def _alarm(
    prior: GaussianPrior, demonstrations: Demonstrations | None, console: Console
) -> Alarm | None:
    """The alarm; None, and said on the console, where it cannot be."""
    if demonstrations is None:
        return None
    lengths = demonstrations.episode_lengths
    try:
        std = prior.left_out_std(
            demonstrations.states, demonstrations.actions, lengths, progress=console.prior_progress
        )
        return Alarm.of(std, torch.from_numpy(lengths))
    except (DataError, ConfigError) as error:
        console.line(f"no alarm: {error}")
        return None


def _environment_fields(run_dir: RunDirectory) -> dict[str, Any]:
    """What `environment.json` says of an environment of others: its units, its observations."""
    details = environment_of(run_dir).get("env") or {}
    bounds = details.get("action_bounds")
    return {
        "observation_keys": details.get("observation_keys"),
        "action_low": None if bounds is None else bounds[0],
        "action_high": None if bounds is None else bounds[1],
    }
