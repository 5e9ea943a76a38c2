"""The experiment: one file that says everything about a run."""

from __future__ import annotations

from typing import Literal, Self

from nppac_envs.demonstrations.sources import DemonstrationsSource
from nppac_priors.config import Config
from nppac_priors.registry import PriorField
from pydantic import Field, model_validator

from nppac_agents.experiment.registries import AgentField, EnvField
from nppac_agents.loggers.logger import LoggerConfig
from nppac_agents.loggers.registry import LoggerField
from nppac_agents.loggers.tensorboard import TensorBoardConfig


class TrainingConfig(Config):
    """How much interaction, and how much learning from it."""

    env_steps: int = Field(default=20_000, ge=0)
    """Environment steps over all training environments."""
    n_envs: int = Field(default=8, ge=1, le=1024)
    """Training environments, stepped together."""
    start_steps: int = Field(default=1_000, ge=1)
    """Environment steps, with the starting policy, before the first online update of an agent that
    learns from replay."""
    updates_per_step: float = Field(default=1.0, ge=0, le=100)
    """Update-to-data ratio: online updates per environment step, of an agent that learns from
    replay."""
    replay_capacity: int = Field(default=1_000_000, ge=1)
    """Transitions kept; the oldest are overwritten."""
    matmul_precision: Literal["highest", "medium"] = "highest"
    """Of products of matrices in float32: `highest` computes in float32, `medium` where the device
    does it faster in bfloat16."""

    @model_validator(mode="after")
    def _every_environment_has_a_ring(self) -> Self:
        if self.replay_capacity < self.n_envs:
            raise ValueError(
                f"replay_capacity {self.replay_capacity} is below n_envs {self.n_envs}; "
                "every environment needs room for a transition"
            )
        return self


REPORTING_SEED = 10_000
"""Reset seed of the first reporting start; the others count up from it."""


class EvaluationConfig(Config):
    """How a policy is judged: deterministic actions, fixed seeds, the task's own horizon.

    On two sets of starts that never mix. Selection starts serve the evaluations while a run
    learns, by which settings are tuned and the best policy is kept; reporting starts are played
    once, by the last policy and the best.
    """

    every: int = Field(default=2_500, ge=1)
    """Environment steps between evaluations; updates in an offline phase."""
    episodes: int = Field(default=50, ge=1, le=REPORTING_SEED)
    """Selection starts: episodes of each evaluation, all in lockstep."""
    first_seed: int = Field(default=1_000, ge=0)
    """Reset seed of the first selection start; the others count up from it and end below 10,000,
    where the reporting starts begin."""
    reporting_episodes: int = Field(default=200, ge=0, le=10_000)
    """Reporting starts, reset seeds from 10,000 up: episodes that the last policy and the best play
    once, at the end of the run, for their reported results; 0 for none."""

    select_by: Literal["return_mean", "success_at_end", "success_ever", "solved_fraction"] = (
        "return_mean"
    )
    """Measure by which the best policy of the run is kept, the untrained included."""
    select_over: int = Field(default=3, ge=1)
    """Evaluations, that of the policy itself and those before, over which the measure is averaged
    for it."""

    @property
    def selection_seeds(self) -> range:
        """Reset seeds of the selection starts."""
        return range(self.first_seed, self.first_seed + self.episodes)

    @property
    def reporting_seeds(self) -> range:
        """Reset seeds of the reporting starts."""
        return range(REPORTING_SEED, REPORTING_SEED + self.reporting_episodes)

    @model_validator(mode="after")
    def _starts_are_apart(self) -> Self:
        if self.selection_seeds.stop > REPORTING_SEED:
            raise ValueError(
                f"first_seed {self.first_seed} and {self.episodes} episodes reach into the "
                f"reporting starts, whose reset seeds begin at {REPORTING_SEED}; lower one of them"
            )
        return self


class LoggingConfig(Config):
    """What a run writes while it goes on."""

    every: int = Field(default=250, ge=1)
    """Updates between two lines of training metrics."""
    tensorboard: bool = True
    """Also write the metrics for TensorBoard."""
    loggers: tuple[LoggerField, ...] = ()
    """Who else is told the metrics, by kind: `trackio`, `wandb`, those of plugins."""
    frames: int = Field(default=8, ge=0, le=64)
    """Frames of one evaluation episode in the report; 0 for none."""
    checkpoint_every: int = Field(default=5_000, ge=1)
    """Environment steps between checkpoints; updates in an offline phase."""

    @model_validator(mode="after")
    def _tensorboard_is_a_switch(self) -> Self:
        if any(isinstance(logger, TensorBoardConfig) for logger in self.loggers):
            raise ValueError("loggers: tensorboard has a switch of its own, logging.tensorboard")
        return self

    def all_loggers(self) -> tuple[LoggerConfig, ...]:
        """TensorBoard, if it is on, and the others; `metrics.jsonl` is always written."""
        return ((TensorBoardConfig(),) if self.tensorboard else ()) + self.loggers

    def require(self) -> None:
        """Looks, before anything runs, whether every logger can be opened here.

        Raises:
            ConfigError: one cannot.
        """
        for logger in self.all_loggers():
            logger.require()


class ExperimentConfig(Config):
    """One run of one agent on one environment, or on demonstrations alone."""

    schema_: str | None = Field(default=None, alias="$schema")
    """Where an editor finds this file's JSON schema."""
    comment: tuple[str, ...] = Field(default=(), alias="$comment")
    """Lines for whoever reads the file."""
    env: EnvField | None = None
    """The environment; null for an agent that learns from the demonstrations alone, which is then
    not evaluated."""
    demonstrations: DemonstrationsSource | None = None
    """The expert demonstrations, for the prior and the agents that use them."""
    prior: PriorField | None = None
    """The behavioural prior, fitted to the demonstrations."""
    agent: AgentField
    """The agent."""
    training: TrainingConfig = TrainingConfig()
    """Interaction and updates."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Evaluation protocol."""
    logging: LoggingConfig = LoggingConfig()
    """Metrics, report, checkpoints."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of everything random in the run."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks and prior live; auto is cuda where there is one."""
    output_dir: str = "runs/{name}-seed{seed}"
    """The run directory; {name} is the file's name, {seed} the seed."""

    @model_validator(mode="after")
    def _something_gives_the_spaces(self) -> Self:
        if self.env is None and self.demonstrations is None:
            raise ValueError("there is neither an environment nor a demonstration; set env")
        return self

    @model_validator(mode="after")
    def _prior_has_data(self) -> Self:
        if self.prior is not None and self.demonstrations is None:
            raise ValueError("prior needs demonstrations to be fitted to; set demonstrations")
        return self
