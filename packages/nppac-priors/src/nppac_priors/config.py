"""Base classes of the configurations that plugins provide, and readable validation errors.

`Config` is the strict pydantic base (frozen, unknown fields refused). `ComponentConfig` adds the
`kind` under which a registry finds a class. `PriorConfig` is what a prior plugin subclasses: the
config is also the factory of its prior. Config modules import no torch; that happens inside `fit`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from nppac_priors.suggestions import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import torch

    from nppac_priors.prior import Prior
    from nppac_priors.progress import ProgressCallback


class Config(BaseModel):
    """A frozen configuration that refuses unknown fields and suggests the closest known one.

    Numbers that are not finite are refused too, since JSON could not give them back.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, data: Any) -> Any:
        if isinstance(data, dict):
            known = {field.alias or name for name, field in cls.model_fields.items()}
            unknown = [str(name) for name in data if name not in known]
            if unknown:
                raise PydanticCustomError(
                    "unknown_field", "{message}", {"message": _unknown_fields(unknown, known)}
                )
        return data


def _unknown_fields(unknown: list[str], known: set[str]) -> str:
    named = ", ".join(repr(name) for name in unknown)
    hint = did_you_mean(unknown[0], known) if len(unknown) == 1 else ""
    return f"unknown field{'s' if len(unknown) > 1 else ''} {named}{hint}; known: " + ", ".join(
        sorted(known)
    )


def _require_kind(schema: dict[str, Any]) -> None:
    schema["required"] = ["kind", *(name for name in schema.get("required", []) if name != "kind")]


class ComponentConfig(Config):
    """A configuration that is found by its `kind`.

    A subclass declares `kind: Literal["my-kind"] = "my-kind"`.
    """

    model_config = ConfigDict(json_schema_extra=_require_kind)

    kind: str
    """Which component this is; every other field belongs to it."""


class PriorConfig(ComponentConfig, ABC):
    """Hyper-parameters of a behavioural prior, and the factory that fits one.

    A kind implements `_fit` and `from_state`.
    """

    gaussian: ClassVar[bool | None] = None
    """Whether what it fits is a `GaussianPrior`; None where only the fit tells"""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a kind that replaces `fit`, as kinds did before `_fit` was there.

        Raises:
            TypeError: It says what to write instead.
        """
        super().__init_subclass__(**kwargs)
        if cls.fit is not PriorConfig.fit:
            raise TypeError(
                f"{cls.__name__} overrides fit, which checks the demonstrations for every kind; "
                "rename it to _fit(self, states, actions, *, episode_lengths, weights, device, "
                "generator, progress), which gets all of these"
            )

    def require_files(self) -> None:
        """Look whether the files that it names are there, without opening them.

        Raises:
            DataError, PriorFileError: One is not, as the fit would say.
        """

    @final
    def fit(
        self,
        states: np.ndarray | torch.Tensor,
        actions: np.ndarray | torch.Tensor,
        *,
        episode_lengths: np.ndarray | torch.Tensor | None = None,
        weights: np.ndarray | torch.Tensor | None = None,
        device: str | torch.device = "cpu",
        generator: torch.Generator | None = None,
        progress: ProgressCallback | None = None,
    ) -> Prior:
        """Fit the prior to demonstrations, and try it out on some of their states.

        Args:
            states: (N, S).
            actions: (N, A), in the policy space [-1, 1].
            episode_lengths: (E,) whole numbers that sum to N, for kinds that hold out whole
                episodes; all states are one episode if None.
            weights: (N,) non-negative, not all zero: a state of weight w counts as w states. Ones
                if None.
            device: Where the work happens and the fitted prior lives.
            generator: Source of all randomness of the fit, on the CPU; seeded with 0 if None.
            progress: Called now and then with what has been done.

        Returns:
            A prior of S state and A action dimensions.

        Raises:
            ConfigError: A setting does not go with these data.
            DataError: The arrays do not fit together, are not finite, or actions leave [-1, 1].
            DeviceError: The device cannot be used.
            NumericalError: The fit became non-finite.
            PluginFaultError, ContractError: What the kind returns is no prior of these data.
        """
        import torch

        from nppac_priors.data import count_rows, sample_weights
        from nppac_priors.device import usable_device
        from nppac_priors.fitted import checked_fit
        from nppac_priors.held_out import checked_lengths

        rows, device = count_rows(states, actions), usable_device(device)
        prior = self._fit(
            states,
            actions,
            episode_lengths=checked_lengths(episode_lengths, rows),
            weights=sample_weights(weights, rows, device=device),
            device=device,
            generator=torch.Generator().manual_seed(0) if generator is None else generator,
            progress=progress,
        )
        return checked_fit(self, prior, states, actions)

    @abstractmethod
    def _fit(
        self,
        states: np.ndarray | torch.Tensor,
        actions: np.ndarray | torch.Tensor,
        *,
        episode_lengths: torch.Tensor,
        weights: torch.Tensor,
        device: torch.device,
        generator: torch.Generator,
        progress: ProgressCallback | None,
    ) -> Prior:
        """What `fit` does for this kind.

        Args:
            states: (N, S) as they were given, N and S above zero; `data.demonstration_tensors`
                checks their numbers and copies them.
            actions: (N, A) as they were given; A is above zero.
            episode_lengths: (E,) int64 on the CPU, sums to N.
            weights: (N,) float32 on the device, non-negative and not all zero.
            device: One that can be used.
            generator: Source of all randomness.
            progress: Called, where given, now and then with what has been done.
        """

    @abstractmethod
    def from_state(
        self, tensors: dict[str, torch.Tensor], *, device: str | torch.device = "cpu"
    ) -> Prior:
        """Rebuild the fitted prior from the tensors that its `Prior.state()` returned."""


def error_lines(error: ValidationError, where: str = "") -> list[str]:
    """One line `path.to.field: message, got value` for each problem in a validation error.

    Args:
        error: What pydantic raised.
        where: Path of the validated object within its file, such as `"prior"`.
    """
    lines = []
    for item in error.errors(include_url=False):
        path = where
        for part in item["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
        message = _message(item)
        lines.append(f"{path}: {message}" if path else message)
    return lines


def _message(item: ErrorDetails) -> str:
    message = item["msg"]
    if item["type"] == "extra_forbidden":
        message = "unknown field"
    elif item["type"] in ("value_error", "assertion_error"):
        message = message.partition(", ")[2]
    elif item["type"] in _IN_JSON_WORDS:
        message = _IN_JSON_WORDS[item["type"]]
    elif item["type"] == "union_tag_not_found":
        message = f"needs a field {item.get('ctx', {}).get('discriminator', '')}"
    message = " ".join(message.split())
    if message[1:2].islower():
        message = message[0].lower() + message[1:]
    value = item["input"]
    if isinstance(value, str | int | float | bool) and item["type"] not in _NAMES_ITS_INPUT:
        message += f", got {_short(value)}"
    return message


_NAMES_ITS_INPUT = {"missing", "unknown_field", "unknown_kind", "missing_kind"}


_IN_JSON_WORDS = {
    "tuple_type": "input should be a list",
    "dict_type": "input should be an object",
    "model_type": "input should be an object",
}


def _short(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
