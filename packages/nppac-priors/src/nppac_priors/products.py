"""Products of matrices on a processor, by the library of PyTorch that is fastest at them.

PyTorch multiplies float32 matrices with MKL, which on processors of other makers than its own
leaves half of their vector units idle: 1024 x 256 times 256 x 256 in 1.13 ms on one core with
AVX-512, where oneDNN, which PyTorch ships too, takes 0.52 ms. A call of oneDNN costs 10 us more, so
that small products stay with MKL. What is chosen depends on shapes alone, never on time, so that a
run that is resumed computes the same bits.

These are for where gradients are not recorded: in a backward pass that is written out, or none.
"""

from __future__ import annotations

import torch
from torch import Tensor

WORTH_A_CALL = 2**20
"""Multiplications from which oneDNN is ahead in spite of its call"""
_ONE_DNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def affine(inputs: Tensor, weight: Tensor, bias: Tensor, *, relu: bool = False) -> Tensor:
    """inputs (B, in) times weight (in, out) plus bias (out,), or the positive part of it."""
    if _is_large(inputs, weight):
        return _one_dnn(inputs, weight, bias, "relu" if relu else "none")
    outputs = torch.addmm(bias, inputs, weight)
    return outputs.relu_() if relu else outputs


def product(left: Tensor, right: Tensor) -> Tensor:
    """left (M, K) times right (K, N)."""
    return _one_dnn(left, right) if _is_large(left, right) else left @ right


def outer_sum(left: Tensor, right: Tensor, out: Tensor) -> None:
    """Writes the sum over rows of outer products, left (B, M) and right (B, N), to out (M, N)."""
    if not _is_large(left.t(), right):
        torch.mm(left.t(), right, out=out)
    elif left.shape[1] <= right.shape[1]:  # oneDNN is fastest where the result has few rows
        out.copy_(_one_dnn(left.t(), right))
    else:
        out.copy_(_one_dnn(right.t(), left).t())


def _one_dnn(
    left: Tensor, right: Tensor, bias: Tensor | None = None, activation: str = "none"
) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(left, right.t(), bias, activation, [], "")


def _is_large(left: Tensor, right: Tensor) -> bool:
    """Whether left (M, K) times right (K, N) is for oneDNN: float32, on the processor, large."""
    return (
        left.numel() * right.shape[1] >= WORTH_A_CALL
        and left.dtype == right.dtype == torch.float32
        and left.is_cpu
        and _ONE_DNN
    )
