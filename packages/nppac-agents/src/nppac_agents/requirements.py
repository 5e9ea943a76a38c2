"""What methods ask of a prior and of demonstrations, refused in one line before anything runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nppac_priors.errors import ConfigError

if TYPE_CHECKING:
    from nppac_envs import Demonstrations
    from nppac_priors import Prior

    from nppac_agents.spaces import Spaces


def require_gaussian_prior(kind: str, spaces: Spaces, prior: Prior | None) -> None:
    """A prior with a mean and a standard deviation, of the environment's dimensions.

    Raises:
        ConfigError: there is none, or it is another kind of distribution or of other dimensions.
    """
    from nppac_priors import GaussianPrior

    if not isinstance(prior, GaussianPrior):
        raise not_gaussian(kind, None if prior is None else prior.config.kind)
    require_dimensions(kind, spaces, prior)


def not_gaussian(kind: str, prior: str | None) -> ConfigError:
    """The error of a method that needs a Gaussian prior and gets another kind, or none."""
    return ConfigError(
        f"agent: {kind!r} needs a prior with a mean and a standard deviation, got "
        f"{'none' if prior is None else repr(prior)}; set prior to a Gaussian kind such as "
        "'exact-gp'"
    )


def require_dimensions(kind: str, spaces: Spaces, prior: Prior | None) -> None:
    """A prior of any distribution, of the environment's dimensions.

    Raises:
        ConfigError: there is none, or it is of other dimensions.
    """
    if prior is None:
        raise ConfigError(
            f"agent: {kind!r} needs a prior, got none; set prior to one such as 'cvae'"
        )
    theirs = prior.state_dim, prior.action_dim
    ours = spaces.state_dim, spaces.action_dim
    if theirs != ours:
        raise ConfigError(
            f"agent: the prior has {theirs[0]} state and {theirs[1]} action dimensions, the "
            f"environment {ours[0]} and {ours[1]}; fit it to demonstrations of this task"
        )


def require_same_dimensions(
    source: str, theirs: tuple[int, int], env: str, ours: tuple[int, int]
) -> None:
    """Demonstrations of the environment's dimensions: each of a state and of an action.

    Raises:
        ConfigError: they are of others.
    """
    if theirs != ours:
        raise ConfigError(
            f"demonstrations: {source} has {theirs[0]} state and {theirs[1]} action dimensions, "
            f"env {env} has {ours[0]} and {ours[1]}; use demonstrations of this task"
        )


def require_demonstrations(
    kind: str, why: str, demonstrations: Demonstrations | None
) -> Demonstrations:
    """Demonstrations, which `why` asks for.

    Raises:
        ConfigError: there are none.
    """
    if demonstrations is None:
        raise ConfigError(f"agent: {kind!r} needs demonstrations ({why}); set demonstrations")
    return demonstrations


def require_rewards(kind: str, demonstrations: Demonstrations) -> None:
    """Rewards of the demonstrated transitions.

    Raises:
        ConfigError: they are not known.
    """
    if demonstrations.rewards is None:
        raise unknown_rewards(kind, demonstrations.source)


def unknown_rewards(kind: str, source: str) -> ConfigError:
    """The error of a method that learns from the rewards of demonstrations which lack them."""
    return ConfigError(
        f"agent: {kind!r} learns from rewards, and those of {source} under this task's reward are "
        "not known; use demonstrations with them, a reward that follows from success, or an agent "
        "that clones"
    )


def require_goals(kind: str, spaces: Spaces) -> None:
    """Goals that others can take the place of.

    Raises:
        ConfigError: the environment states none, or there is no environment.
    """
    if spaces.goals is None:
        raise no_goals(kind)


def no_goals(kind: str) -> ConfigError:
    """The error of a method that exchanges goals where nobody states any."""
    return ConfigError(
        f"agent: {kind!r} is to learn for other goals than those that were played for, and there "
        "is no environment that states goals; set future_goals and other_goals to 0, or env to a "
        "task with goals such as 'push'"
    )


def require_room(kind: str, consumed: int, capacity: int, n_envs: int) -> None:
    """Room in the replay for the environment steps that one update consumes.

    Raises:
        ConfigError: there is less.
    """
    needed = math.ceil(consumed / n_envs) * n_envs
    if capacity < needed:
        raise ConfigError(
            f"training: replay_capacity {capacity} is below the {needed} steps that one update "
            f"of agent {kind!r} takes from {n_envs} environments; raise it or lower "
            "agent.steps_per_update"
        )
