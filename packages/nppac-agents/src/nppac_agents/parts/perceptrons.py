"""Multilayer perceptrons with ReLU whose gradient is written out, for the processor.

Autograd keeps a node for every operation, and copies the gradients of networks that are stacked
along a first dimension. Here one node holds all layers of all members, and writes every gradient
where it belongs. A gradient that is itself differentiated comes from autograd (`plain`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from nppac_priors.products import affine, outer_sum, product
from torch import Tensor

LAYER_NORM_EPSILON = 1e-5
_threshold_backward = torch.ops.aten.threshold_backward.grad_input
_layer_norm_backward = torch.ops.aten.native_layer_norm_backward.default


class Layer(NamedTuple):
    """One layer: x W + b, of hidden ones the ReLU; with a gain, relu(layer_norm(x W) gain + b)."""

    weight: Tensor
    """(in, out)"""
    bias: Tensor
    """(out,)"""
    gain: Tensor | None = None
    """(out,)"""


Member = list[Layer]
Cut = Callable[[Sequence[Tensor]], list[Member]]
"""Which layers of which members parameters hold, as views of them"""


class Cutting:
    """The layers of a network's parameters, cut out again only when these lie elsewhere.

    Args:
        parameters: of the network.
        cut: which layers they hold.
    """

    def __init__(self, parameters: Sequence[Tensor], cut: Cut) -> None:
        self.parameters = parameters
        self.cut = cut
        self.places: list[int] = []

    def cut_out(self) -> None:
        """Look where the parameters lie; views that are kept hold on to a place."""
        places = [parameter.data_ptr() for parameter in self.parameters]
        if places != self.places or self.parameters[0].is_meta:
            self.values = [parameter.detach() for parameter in self.parameters]
            self.members, self.places = self.cut(self.values), places


def perceptrons(inputs: Tensor, cutting: Cutting, *, stacked: bool, frozen: bool = False) -> Tensor:
    """Outputs (E, B, out), or (E, B) if there is one, of E perceptrons at the same inputs (B, in).

    Without `stacked` those of the only one, (B, out) or (B,). The gradient of `frozen` ones
    reaches no parameter.
    """
    cutting.cut_out()
    if not torch.is_grad_enabled():
        outputs = [_forward(inputs, layers)[0] for layers in cutting.members]
        return torch.stack(outputs) if stacked else outputs[0]
    parameters = cutting.values if frozen else cutting.parameters
    way = cutting.cut, cutting.members, stacked
    return _Perceptrons.apply(inputs, way, *parameters)  # pyright: ignore[reportReturnType]


def plain(inputs: Tensor, layers: Sequence[Layer]) -> Tensor:
    """Outputs (B, out) or (B,) of one perceptron at inputs (B, in), as autograd knows them."""
    hidden = inputs
    for weight, bias, gain in layers[:-1]:
        if gain is None:
            hidden = torch.addmm(bias, hidden, weight).relu()
        else:
            width = (weight.shape[1],)
            hidden = F.layer_norm(hidden @ weight, width, gain, bias, LAYER_NORM_EPSILON).relu()
    outputs = torch.addmm(layers[-1].bias, hidden, layers[-1].weight)
    return outputs.squeeze(1)


class _Perceptrons(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, way: tuple[Cut, list[Member], bool], *parameters: Tensor
    ) -> Tensor:
        ctx.cut, ctx.members, ctx.stacked = way
        found = [_forward(inputs, layers) for layers in ctx.members]
        outputs, ctx.passed = zip(*found, strict=True)
        ctx.save_for_backward(inputs, *parameters)
        return torch.stack(outputs) if ctx.stacked else outputs[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            return _by_autograd(ctx, *gradients)
        through, _, *wanted = ctx.needs_input_grad
        own = [torch.empty_like(p) for p in ctx.saved_tensors[1:]] if any(wanted) else []
        targets = ctx.cut(own) if own else [None] * len(ctx.members)
        of_members = gradients[0].unbind() if ctx.stacked else gradients
        total = None
        for layers, target, passed, gradient in zip(
            ctx.members, targets, ctx.passed, of_members, strict=True
        ):
            back = _backward(gradient, layers, passed, target, through=through)
            total = back if total is None or back is None else total.add_(back)
        return total, None, *(own or [None] * len(wanted))


class _Passed(NamedTuple):
    """What a layer's gradient is computed from."""

    inputs: Tensor
    """(B, in)"""
    normalised: tuple[Tensor, Tensor, Tensor] | None
    """What entered the layer norm, (B, out), with its means and inverse deviations (B, 1)"""


def _forward(inputs: Tensor, layers: Member) -> tuple[Tensor, list[_Passed]]:
    """Outputs (B, out) or (B,) of one member, and what its gradient needs."""
    passed, hidden = [], inputs
    for weight, bias, gain in layers[:-1]:
        if gain is None:
            passed.append(_Passed(hidden, None))
            hidden = affine(hidden, weight, bias, relu=True)
        else:
            entered = product(hidden, weight)
            scaled, mean, deviation = torch.native_layer_norm(
                entered, (weight.shape[1],), gain, bias, LAYER_NORM_EPSILON
            )
            passed.append(_Passed(hidden, (entered, mean, deviation)))
            hidden = scaled.relu_()
    passed.append(_Passed(hidden, None))
    weight, bias, _ = layers[-1]
    if weight.shape[1] == 1:  # a product with one column is no product
        return torch.addmv(bias, hidden, weight.view(-1)), passed
    return affine(hidden, weight, bias), passed


def _backward(
    gradient: Any,
    layers: Member,
    passed: list[_Passed],
    target: Member | None,
    *,
    through: bool,
) -> Tensor | None:
    """Writes a member's gradients into `target`; returns that of its inputs (B, in), if wanted.

    Args:
        gradient: of the outputs, (B, out) or (B,).
        layers: of the member.
        passed: by the layers on the way forward.
        target: where the gradients go; None: nowhere.
        through: whether the gradient of the inputs is wanted.
    """
    for number in reversed(range(len(layers))):
        weight, bias, gain = layers[number]
        entered, normalised = passed[number]
        own = None if target is None else target[number]
        if normalised is not None:
            gradient = _through_norm(gradient, normalised, gain, bias, own)
        elif own is not None:
            torch.sum(gradient, 0, keepdim=gradient.dim() == 1, out=own.bias)
        if gradient.dim() == 1:
            if own is not None:
                torch.mv(entered.t(), gradient, out=own.weight.view(-1))
            back = gradient.unsqueeze(1) * weight.view(-1) if number or through else None
        else:
            if own is not None:
                outer_sum(entered, gradient, own.weight)
            back = product(gradient, weight.t()) if number or through else None
        if number:
            _threshold_backward(back, entered, 0, grad_input=back)
        gradient = back
    return gradient if through else None


def _through_norm(
    gradient: Tensor, normalised: Any, gain: Tensor | None, bias: Tensor, own: Layer | None
) -> Tensor:
    """The gradient (B, out) of what entered a layer norm; `own` takes those of gain and bias."""
    entered, mean, deviation = normalised
    width, wanted = (entered.shape[1],), [True, own is not None, own is not None]
    back, of_gain, of_bias = _layer_norm_backward(
        gradient, entered, width, mean, deviation, gain, bias, wanted
    )
    if own is not None and own.gain is not None:
        own.gain.copy_(of_gain)
        own.bias.copy_(of_bias)
    return back


def _by_autograd(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    """The gradients as functions that have gradients themselves."""
    inputs, *parameters = ctx.saved_tensors
    with torch.enable_grad():
        outputs = [plain(inputs, layers) for layers in ctx.cut(parameters)]
        outputs = torch.stack(outputs) if ctx.stacked else outputs[0]
    wanted = [ctx.needs_input_grad[0], *ctx.needs_input_grad[2:]]
    of = [t for t, needed in zip((inputs, *parameters), wanted, strict=True) if needed]
    found = iter(torch.autograd.grad(outputs, of, gradient, create_graph=True))
    first, *rest = [next(found) if needed else None for needed in wanted]
    return first, None, *rest
