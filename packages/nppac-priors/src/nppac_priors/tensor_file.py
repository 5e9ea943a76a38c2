"""Tensors with metadata as one file: the same bytes for the same content, and no byte unguarded.

The files are safetensors, which any reader of these opens: a header in JSON (names, types, shapes,
and texts under `__metadata__`), then the values. Entries are sorted, and the metadata's `checksum`
is the SHA-256 of the whole file with zeros in its own place, so that one flipped byte anywhere, the
header included, is noticed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from nppac_priors.atomic_files import replacing
from nppac_priors.errors import DataError
from nppac_priors.user_files import where_relative

CHECKSUM = "checksum"
_BLANK = b"0" * 64
_CHECKSUM_ENTRY = re.compile(rb'"checksum":"([0-9a-f]{64})"')
_LARGEST_HEADER = 100_000_000
_BLOCK = 1 << 20
_DTYPES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.int32: "I32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


class TensorFileError(DataError):
    """A file of tensors that is missing, or of another format or version."""


class DamagedFileError(TensorFileError):
    """A file of tensors that is no longer what was written."""


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]
) -> None:
    """Write a file at once or not at all: it is on the disk, and read back, before it replaces.

    Args:
        path: The file; its folder has to exist.
        tensors: Of any device and memory layout.
        metadata: With `format` and `version`, which `read_tensors` asks for.

    Raises:
        OSError: It cannot be written, or does not read back; what was there before is untouched.
    """
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))
    header = _header(ordered, metadata)
    with replacing(path) as partial:
        with partial.open("wb") as file:
            digest = hashlib.sha256(header)
            file.write(header)
            for _, tensor in ordered:
                values = _bytes_of(tensor)
                digest.update(values)
                file.write(values)
            position = _CHECKSUM_ENTRY.search(header)
            assert position is not None
            file.seek(position.start(1))
            file.write(digest.hexdigest().encode())
        if checksum(partial) != digest.hexdigest():
            raise OSError(None, "what was written does not read back", str(path))


def checksum(path: Path) -> str:
    """The checksum of an undamaged file, which identifies its content.

    Raises:
        TensorFileError: There is no such file.
        DamagedFileError: A byte of it is missing or another.
    """
    stored, actual = _checksums(path)
    if stored is None:
        raise DamagedFileError(f"{path}: damaged, or not written by nppac: it has no checksum")
    if stored != actual:
        raise DamagedFileError(f"{path}: damaged: its bytes do not match its checksum")
    return stored


def read_tensors(
    path: Path, *, format: str, version: str
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """What `write_tensors` wrote, on the CPU: the tensors and the metadata.

    The tensors are copies, aligned as any other in memory: some products depend on that in their
    last bits, and nothing that happens to the file later reaches them.

    Raises:
        TensorFileError: There is no such file, or it is of another format or version.
        DamagedFileError: A byte of it is missing or another.
    """
    _require_file(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            if CHECKSUM not in metadata:
                _require_format(path, metadata, format, version)
            checksum(path)
            _require_format(path, metadata, format, version)
            names = file.keys()
            tensors = {name: file.get_tensor(name).clone() for name in names}
    except (OSError, SafetensorError) as error:
        raise DamagedFileError(f"{path}: damaged, perhaps truncated: {error}") from error
    return tensors, metadata


def _header(ordered: list[tuple[str, torch.Tensor]], metadata: Mapping[str, str]) -> bytes:
    """Length and JSON, with a blank checksum, padded so that the values are aligned."""
    entries: dict[str, Any] = {
        "__metadata__": dict(sorted({**metadata, CHECKSUM: _BLANK.decode()}.items()))
    }
    end = 0
    for name, tensor in ordered:
        if tensor.dtype not in _DTYPES:
            raise OSError(None, f"tensor {name!r} of {tensor.dtype} cannot be stored")
        start, end = end, end + tensor.numel() * tensor.element_size()
        entries[name] = {
            "dtype": _DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _bytes_of(tensor: torch.Tensor) -> Any:
    """The values, row by row, as a buffer; without a copy where they lie so already."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def _checksums(path: Path) -> tuple[str | None, str]:
    """The checksum that a file names, None if it names none, and that of its bytes."""
    _require_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            header = start + (file.read(length) if length <= _LARGEST_HEADER else b"")
            entry = _CHECKSUM_ENTRY.search(header)
            if entry is None:
                return None, ""
            digest = hashlib.sha256(header[: entry.start(1)] + _BLANK + header[entry.end(1) :])
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise DamagedFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    return entry[1].decode(), digest.hexdigest()


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise TensorFileError(f"{path}: no such file{where_relative(path)}")


def _require_format(path: Path, metadata: dict[str, str], format: str, version: str) -> None:
    if metadata.get("format") != format:
        raise TensorFileError(f"{path}: not a {format}: format {metadata.get('format')!r}")
    if metadata.get("version") != version:
        raise TensorFileError(
            f"{path}: {format} of version {metadata.get('version')!r}, this nppac reads "
            f"{version!r}; use the nppac that wrote it"
        )
