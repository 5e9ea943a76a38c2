"""Reading a `torch.export` archive (`.pt2`) without unpickling or running anything in it.

`torch.export.load` unpickles: example inputs, and weights and constants that say so, and a node of
its graph may name any function of `torch`, `torch.os.system` too. So it is not used. The graph is
read as what it is, JSON, and weights as raw bytes; pickles in the archive are never opened.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nppac_priors.errors import PriorFileError
from nppac_priors.user_files import existing_file

_SCALARS = {
    4: torch.int32,
    5: torch.int64,
    7: torch.float32,
    8: torch.float64,
    12: torch.bool,
}
"""Number types by their codes in the archive's schema."""
_MAX_JSON = 16 * 2**20
"""Of the graph or a table of its tensors; the graph of four layers takes 10 KiB."""
_KINDS = {
    "parameter": "parameter_name",
    "buffer": "buffer_name",
    "tensor_constant": "tensor_constant_name",
}


def read_program(path: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The graph and the tensors of an exported program.

    Returns:
        `nodes`, `inputs` (what each of its inputs is called), `states` and `outputs` (names of
        values), in plain JSON types; and the tensors by the names that the nodes have for them.

    Raises:
        PriorFileError: The file is missing, is no such archive, or has what is not read: several
            inputs, pickled weights, objects that are no tensors.
    """
    path = existing_file(path, PriorFileError)
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except PriorFileError as error:
        raise PriorFileError(f"{path}: {error}") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise PriorFileError(
            f"{path}: is no archive of torch.export.save ({type(error).__name__}: {reason})"
        ) from error


def scalar_type(code: object) -> torch.dtype:
    """The number type of a code.

    Raises:
        PriorFileError: It is none that is read.
    """
    if not isinstance(code, int) or code not in _SCALARS:
        raise PriorFileError(f"number type {code!r} is not read")
    return _SCALARS[code]


def _read(archive: zipfile.ZipFile) -> tuple[dict[str, Any], dict[str, Tensor]]:
    names = [info.filename for info in archive.infolist()]
    models = [name for name in names if "/models/" in name]
    if len(models) > 1:
        raise PriorFileError(f"holds {len(models)} programs, has to hold one")
    root, _, model = models[0].partition("/models/") if models else ("", "", "")
    model = model.removesuffix(".json")
    if f"{root}/data/weights/{model}_weights_config.json" not in names:
        raise PriorFileError(
            "holds no program as PyTorch 2.9 and later save it (before, weights were pickled); "
            "export it again with one of these"
        )
    graph = _json(archive, models[0])["graph_module"]
    stored: dict[str, Tensor] = {}
    for kind in ("weights", "constants"):
        folder = f"{root}/data/{kind}/"
        config = _json(archive, f"{folder}{model}_{kind}_config.json")["config"]
        stored |= {name: _tensor(archive, folder, name, meta) for name, meta in config.items()}
    tensors, states = _inputs(graph["signature"]["input_specs"], stored)
    outputs = [spec.get("user_output") for spec in graph["signature"]["output_specs"]]
    if None in outputs or not 1 <= len(outputs) <= 2:
        raise PriorFileError("has to return a mean, or a mean and a std, and to change no buffers")
    named = [output["arg"]["as_tensor"]["name"] for output in outputs]
    program = {"nodes": graph["graph"]["nodes"], "states": states, "outputs": named}
    return program, tensors


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    """The content of a member, of which no more is unfolded than the bound."""
    with archive.open(name) as member:
        content = member.read(_MAX_JSON + 1)
    if len(content) > _MAX_JSON:
        raise PriorFileError(f"{name} unfolds to more than {_MAX_JSON // 2**20} MiB")
    return json.loads(content)


def _inputs(specs: Any, stored: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """The tensors by the names in the graph, and what the states are called there."""
    tensors, states = {}, []
    for spec in specs:
        ((kind, content),) = spec.items()
        if kind == "user_input":
            states.append(content["arg"]["as_tensor"]["name"])
        elif kind in _KINDS:
            tensors[content["arg"]["name"]] = stored[content[_KINDS[kind]]]
        else:
            raise PriorFileError(f"takes an input of kind {kind!r}, which is not read")
    if len(states) != 1:
        raise PriorFileError(f"takes {len(states)} inputs, has to take states (B, S) alone")
    return tensors, states[0]


def _tensor(archive: zipfile.ZipFile, folder: str, name: str, payload: Any) -> Tensor:
    meta = payload["tensor_meta"]
    if payload["use_pickle"] or meta is None:
        raise PriorFileError(f"{name} is pickled, and pickles are not read")
    info = archive.getinfo(folder + payload["path_name"])
    if info.compress_type != zipfile.ZIP_STORED:
        raise PriorFileError(f"{name} is compressed, which torch.export.save does not do")
    sizes, strides = ([n["as_int"] for n in meta[of]] for of in ("sizes", "strides"))
    raw = archive.read(info)
    dtype = scalar_type(meta["dtype"])
    flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    offset = meta["storage_offset"]["as_int"]
    # A stride of zero could make terabytes of a few bytes.
    if torch.Size(sizes).numel() > flat.numel():
        raise PriorFileError(f"{name} declares more numbers than are there")
    return flat.as_strided(sizes, strides, offset).clone(memory_format=torch.contiguous_format)
