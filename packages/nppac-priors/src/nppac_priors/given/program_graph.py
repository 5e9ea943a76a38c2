"""Computing an exported program, node by node, with operators from a list and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nppac_priors.errors import PriorFileError
from nppac_priors.given.program_file import scalar_type

OPERATORS = frozenset(
    [
        "abs",
        "add",
        "addmm",
        "alias",
        "amax",
        "amin",
        "atan",
        "atan2",
        "bmm",
        "cat",
        "celu",
        "chunk",
        "clamp",
        "clamp_max",
        "clamp_min",
        "clone",
        "contiguous",
        "cos",
        "detach",
        "detach_",
        "div",
        "dropout",
        "elu",
        "exp",
        "expand",
        "expm1",
        "feature_dropout",
        "flatten",
        "gelu",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "layer_norm",
        "leaky_relu",
        "lift_fresh_copy",
        "linear",
        "log",
        "log1p",
        "log_softmax",
        "logsumexp",
        "matmul",
        "maximum",
        "mean",
        "minimum",
        "mish",
        "mm",
        "mul",
        "narrow",
        "neg",
        "permute",
        "pow",
        "reciprocal",
        "relu",
        "relu6",
        "reshape",
        "rsqrt",
        "rsub",
        "select",
        "selu",
        "sigmoid",
        "sign",
        "silu",
        "sin",
        "slice",
        "softmax",
        "softplus",
        "split",
        "split_with_sizes",
        "sqrt",
        "square",
        "squeeze",
        "stack",
        "sub",
        "sum",
        "t",
        "tanh",
        "to",
        "transpose",
        "unbind",
        "unsqueeze",
        "view",
        "where",
    ]
)
"""Those of `torch.ops.aten` that compute and do nothing else; `sym_size` is added."""

_TARGET = re.compile(r"torch\.ops\.aten\.(\w+)\.(\w+)")
_PLAIN = ("as_int", "as_ints", "as_float", "as_floats", "as_bool", "as_bools", "as_string")


def check_operators(nodes: list[dict[str, Any]]) -> None:
    """Refuse a program with an operator that is not in the list.

    Raises:
        PriorFileError: It names the operator.
    """
    for node in nodes:
        _operator(node["target"])


def compute(program: Mapping[str, Any], tensors: Mapping[str, Tensor], states: Tensor) -> list[Any]:
    """What the program returns for states (B, S).

    Args:
        program: `nodes`, `states` and `outputs`, from `read_program`.
        tensors: Its weights, by the names in the graph.
        states: On the device of the weights.

    Raises:
        PriorFileError: A node has an operator or an argument that is not read.
        Exception: Whatever an operator says of its arguments.
    """
    values: dict[str, Any] = {**tensors, program["states"]: states}
    for node in program["nodes"]:
        given = [_value(argument["arg"], values) for argument in node["inputs"]]
        named = {
            argument["name"]: value
            for argument, value in zip(node["inputs"], given, strict=True)
            if argument["kind"] == 2
        }
        positional = [
            value
            for argument, value in zip(node["inputs"], given, strict=True)
            if argument["kind"] != 2
        ]
        _keep(node["outputs"], _operator(node["target"])(*positional, **named), values)
    return [values[name] for name in program["outputs"]]


def _operator(target: str) -> Any:
    found = _TARGET.fullmatch(target)
    if found is None or found[1] not in OPERATORS | {"sym_size"}:
        raise PriorFileError(f"its program calls {target!r:.80}, which is not in the list")
    return getattr(getattr(torch.ops.aten, found[1]), found[2])


def _value(argument: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    ((kind, content),) = argument.items()
    if kind in _PLAIN:
        return content
    if kind == "as_none":
        return None
    if kind == "as_tensor":
        return values[content["name"]]
    if kind == "as_tensors":
        return [values[of["name"]] for of in content]
    if kind == "as_sym_int":
        return _size(content, values)
    if kind == "as_sym_ints":
        return [_size(of, values) for of in content]
    if kind == "as_scalar_type":
        return scalar_type(content)
    raise PriorFileError(f"its program has an argument {kind!r}, which is not read")


def _size(content: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    return content["as_int"] if "as_int" in content else values[content["as_name"]]


def _keep(outputs: list[Any], result: Any, values: dict[str, Any]) -> None:
    ((kind, content),) = outputs[0].items()
    if len(outputs) != 1 or kind not in ("as_tensor", "as_tensors", "as_sym_int"):
        raise PriorFileError(f"its program has a result {kind!r}, which is not read")
    if kind == "as_tensors":
        values.update(zip((of["name"] for of in content), result, strict=True))
    else:
        values[content["name" if kind == "as_tensor" else "as_name"]] = result
