"""DeepLIFT's rules: how one step of a network hands multipliers from its results back to what it was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from decam.errors import MethodError
from decam.masking import is_memory
from decam.methods.gradient.recording import Step, Value

# Operators of one argument, element by element, that PyTorch does not mark as such.
_ELEMENTWISE = frozenset({"hardswish", "prelu_kernel", "log_sigmoid_forward", "to_copy"})
# Elementwise with one argument that depends on the picture, and then linear: their derivative is rule enough.
_LINEAR = frozenset({"add", "sub", "rsub", "mul", "neg", "clone"})
# What takes 0 and 1 for False and True, so that multipliers pass a condition as they pass a number.
_NUMERIC = frozenset({"mul", "add", "sub", "rsub", "sum", "mean", "to_copy"})
# How many places of the window a max pool sees are dimensions of the picture.
_POOLS = {
    "max_pool2d_with_indices": 2,
    "max_pool3d_with_indices": 3,
    "adaptive_max_pool2d": 2,
    "adaptive_max_pool3d": 3,
    "fractional_max_pool2d": 2,
    "fractional_max_pool3d": 3,
}
_EXTREMES = {"amax": 1, "max": 1, "amin": -1, "min": -1}
_EXTREMES_OF_TWO = frozenset({"maximum", "minimum"})
_COMPARISONS = _EXTREMES_OF_TWO | {"gt", "ge", "lt", "le"}
_NODES = (1, 2, 8, 32, 128)

Multipliers: TypeAlias = list[Tensor | None]


@dataclass(frozen=True)
class Pair:
    """One step on the way from the picture and from the baseline.

    `picture` and `baseline` are the two calls, `given` and `given_baseline` the values they took (those of
    `step.sources`), `made` and `made_baseline` their results. `multipliers` are the results', None where nothing later
    depends on one. A gap under `tolerance` is not worth a finer path.
    """

    picture: Step
    baseline: Step
    given: Sequence[Tensor]
    given_baseline: Sequence[Tensor]
    made: Sequence[Tensor | None]
    made_baseline: Sequence[Tensor | None]
    multipliers: Sequence[Tensor | None]
    tolerance: float = 0.0


@dataclass(frozen=True)
class Handed:
    """What a rule gives: multipliers of the step's sources, None where no slope leads back to one.

    `gap` is by how much the sources' contributions miss those of the results. `shared` says that the difference was
    shared out along a path, for want of a closed rule.
    """

    multipliers: Multipliers
    gap: float
    shared: bool = False


def hand_back(pair: Pair) -> Handed:
    """Multipliers of what a step was given.

    A step that maps each number to one number has the rescale rule, Δout / Δin (Shrikumar et al. 2017, eq. 12). Of a
    maximum over places, the picture's and the baseline's winner share the difference (as in SHAP's and Captum's code).
    The larger of two and a choice between two are written as sums and products of such steps. All else is shared out
    along the straight line between the two inputs (Aumann and Shapley 1974; Chen, Lundberg and Lee 2022, Explaining a
    series of models by propagating Shapley values). For a linear step that is its derivative, which is the paper's
    linear rule; for a product of two, each gets the mean of the other over picture and baseline.
    """
    rule = _rule(pair)
    try:
        if pair.picture.operator.is_view:
            return Handed(_gradients(pair.picture, [_leaf(part) for part in pair.given], pair.multipliers), 0.0)
        return _along(pair) if rule is None else _handed(pair, rule(pair))
    except RuntimeError as error:
        # Any operator of PyTorch may be here, asked again with other numbers and differentiated. One without a
        # derivative, or that does not take these types, says so in a RuntimeError (NotImplementedError is one too).
        if is_memory(error):
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise MethodError(f"DeepLIFT finds no way back through the operator {pair.picture.name}: {reason}") from error


def _handed(pair: Pair, multipliers: Multipliers, shared: bool = False) -> Handed:
    """Without multipliers that are no numbers, as of a root at zero: the gap has what they would have carried."""
    finite = [None if part is None else torch.nan_to_num(part, 0.0, 0.0, 0.0) for part in multipliers]
    made = contribution(pair.multipliers, pair.made, pair.made_baseline)
    return Handed(finite, made - contribution(finite, pair.given, pair.given_baseline), shared)


def _rule(pair: Pair) -> Callable[[Pair], Multipliers] | None:
    step, count = pair.picture, len(pair.given)
    if count == 1 and (step.name in _POOLS or step.name in _EXTREMES) and pair.multipliers[0] is not None:
        return _winners
    if count == 2 and step.name in _COMPARISONS:
        return _compared
    if (step.name == "where" and count == 3) or step.name == "masked_fill":
        return _chosen
    if step.name == "to_copy" and pair.given[0].is_floating_point() and _result(pair.made).is_floating_point():
        return None  # rounded to another type, it is the same number
    elementwise = torch.Tag.pointwise in step.operator.tags or step.name in _ELEMENTWISE
    if elementwise and count == 1 and step.name not in _LINEAR and not pair.given[0].is_complex():
        return _rescaled
    return None


def difference(one: Tensor, other: Tensor) -> Tensor:
    """one - other, and zero where both are the same infinity."""
    wide = torch.promote_types(one.dtype, torch.float32)
    return torch.where(one == other, 0, one.to(wide) - other.to(wide))


def _rescaled(pair: Pair) -> Multipliers:
    """Δout / Δin for every number, and the derivative half way where the two inputs are nearly the same.

    In float64, in which the ratio of differences of float32 activations is exact to some 5 digits or more. Nearer than
    the cube root of the rounding error, relative to the inputs, the derivative is as exact as the ratio would be.
    """
    shape = _result(pair.made).shape
    given, given_baseline = (part.expand(shape) for part in (pair.given[0], pair.given_baseline[0]))
    wide = _wide(given)

    def bent(step: Step, number: Tensor) -> Tensor:
        return _result(step.compute([number], lambda part: part.to(wide) if part.is_floating_point() else part)).to(
            wide
        )

    exact = wide if given.is_floating_point() else given.dtype
    out, out_baseline = bent(pair.picture, given.to(exact)), bent(pair.baseline, given_baseline.to(exact))
    high, low = given.to(wide), given_baseline.to(wide)
    change, rounding = difference(high, low), torch.finfo(wide).eps
    near = change.abs() <= torch.maximum(
        rounding ** (1 / 3) * torch.maximum(high.abs(), low.abs()),
        rounding ** (2 / 3) * torch.maximum(out.abs(), out_baseline.abs()),
    )
    near |= change == 0
    ratio = difference(out, out_baseline) / torch.where(near, 1, change)
    if given.is_floating_point() and bool(near.any()):
        ratio = torch.where(near, _slope(lambda number: bent(pair.picture, number), low + change / 2), ratio)
    else:
        ratio = torch.where(near, 0, ratio)
    multiplier = pair.multipliers[0]
    assert multiplier is not None
    return [(multiplier.to(wide) * ratio).sum_to_size(pair.given[0].shape).to(multiplier.dtype)]


def _slope(bent: Callable[[Tensor], Tensor], middle: Tensor) -> Tensor:
    with torch.enable_grad():
        middle = middle.detach().requires_grad_()
        out = bent(middle)
        return torch.autograd.grad(out.sum(), middle)[0] if out.requires_grad else torch.zeros_like(middle)


def _winners(pair: Pair) -> Multipliers:
    """Where the picture's maximum is higher, its place gets the difference, and else the place of the baseline's.

    The share is divided by that place's own difference, which is at least as large. A place gets the sum of what all
    windows give it.
    """
    (given,), (given_baseline,) = pair.given, pair.given_baseline
    multiplier, name = pair.multipliers[0], pair.picture.name
    assert multiplier is not None
    if name in _POOLS:
        axes, sign = tuple(range(-_POOLS[name], 0)), 1
    else:
        axes, sign = _reduced(pair.picture, given), _EXTREMES[name]
    last = tuple(range(-len(axes), 0))
    high, low = (sign * part.movedim(axes, last) for part in (given, given_baseline))
    shape = high.shape
    high, low = high.flatten(-len(axes)), low.flatten(-len(axes))
    if name in _POOLS:
        first, second = (_result(made, 1).flatten(-len(axes)) for made in (pair.made, pair.made_baseline))
    else:
        first, second = high.argmax(-1, keepdim=True), low.argmax(-1, keepdim=True)
    multiplier = multiplier.reshape(first.shape)
    rise = high.gather(-1, first) - low.gather(-1, second)
    shared = torch.zeros_like(high)
    for winner, counts in ((first, rise >= 0), (second, rise <= 0)):
        change = high.gather(-1, winner) - low.gather(-1, winner)
        share = torch.where(change == 0, 0.5, rise / torch.where(change == 0, 1, change))
        shared.scatter_add_(-1, winner, torch.where(counts, multiplier * share, 0))
    return [shared.reshape(shape).movedim(last, axes)]


def _reduced(step: Step, given: Tensor) -> tuple[int, ...]:
    """The dimensions over which amax, max and their like look, counted from 0."""
    args, kwargs = step.arguments
    dims = args[1] if len(args) > 1 else kwargs.get("dim", ())
    chosen = tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
    return tuple(dim % given.ndim for dim in chosen) or tuple(range(given.ndim))


def _compared(pair: Pair) -> Multipliers:
    """The rescale rule for u - v: max(u, v) = v + relu(u - v), min(u, v) = u - relu(u - v), u > v as 0 or 1."""
    multiplier, wide, name = pair.multipliers[0], _wide(pair.given[0]), pair.picture.name
    assert multiplier is not None
    over, under = (u.to(wide) - v.to(wide) for u, v in (pair.given, pair.given_baseline))
    same = over == under
    change = torch.where(same, 1, over - under)
    if name in _EXTREMES_OF_TWO:
        rise = (over.clamp(min=0) - under.clamp(min=0)) / change
        share = torch.where(same, (over > 0) + 0.5 * (over == 0), rise)
        weights = (share, 1 - share) if name == "maximum" else (1 - share, share)
    else:
        step = torch.where(same, 0, difference(_result(pair.made), _result(pair.made_baseline)) / change)
        weights = (step, -step)
    return [
        (multiplier * weight).sum_to_size(part.shape).to(multiplier.dtype)
        for part, weight in zip(pair.given, weights, strict=True)
    ]


def _chosen(pair: Pair) -> Multipliers:
    """where(c, u, v) = v + c (u - v) with c as 0 or 1: a product, whose factors get each other's mean."""
    multiplier = pair.multipliers[0]
    assert multiplier is not None
    order = (0, 1, 2) if pair.picture.name == "where" else (1, 2, 0)  # masked_fill(v, c, u)
    picture, baseline = (
        _arms(step, given) for step, given in ((pair.picture, pair.given), (pair.baseline, pair.given_baseline))
    )
    (c, u, v), (c_baseline, u_baseline, v_baseline) = ([side[place] for place in order] for side in (picture, baseline))
    mean = (c.to(multiplier.dtype) + c_baseline.to(multiplier.dtype)) / 2
    between = torch.where(c == c_baseline, 0, (difference(u, v) + difference(u_baseline, v_baseline)) / 2)
    found = dict(zip(order, (between, mean, 1 - mean), strict=True))
    tracked = [place for place, part in enumerate(pair.picture.arguments[0]) if isinstance(part, Value)]
    return [
        (multiplier * found[place]).expand_as(_result(pair.made)).sum_to_size(part.shape)
        for place, part in zip(tracked, pair.given, strict=True)
    ]


def _arms(step: Step, given: Sequence[Tensor]) -> list[Tensor]:
    """The three arguments of a choice as tensors."""
    values = iter(given)
    return [
        next(values) if isinstance(part, Value) else torch.as_tensor(part, device=given[0].device)
        for part in step.arguments[0]
    ]


def _along(pair: Pair) -> Handed:
    """The mean gradient on the straight line between the two inputs, with as many points as its sum needs."""
    differs = any(
        not _flows(pair.picture, part) and not torch.equal(part, other)
        for part, other in zip(pair.given, pair.given_baseline, strict=True)
    )
    handed: Handed | None = None
    for nodes in _NODES[1:] if differs else _NODES:
        finer = _handed(pair, _mean_gradient(pair, nodes), nodes > 1)
        if handed is not None and _same(handed.multipliers, finer.multipliers):
            return handed  # linear, but for rounding
        handed = finer
        if abs(finer.gap) <= pair.tolerance:
            break
    assert handed is not None
    return handed


def _same(some: Multipliers, others: Multipliers) -> bool:
    return all(
        one is other is None or (one is not None and other is not None and torch.allclose(one, other, 1e-4, 1e-9))
        for one, other in zip(some, others, strict=True)
    )


@cache
def _points(nodes: int) -> tuple[tuple[float, float], ...]:
    """Points on the line, 0 the baseline and 1 the picture, with their weights, whose sum is 1.

    Gauss and Legendre's, drawn to both ends by t = 3s² - 2s³: normalisations of an even baseline change fastest there.
    """
    at, weights = np.polynomial.legendre.leggauss(nodes)
    s = (at + 1) / 2
    if nodes == 1:
        return ((0.5, 1.0),)
    return tuple(zip((3 * s**2 - 2 * s**3).tolist(), (3 * s * (1 - s) * weights).tolist(), strict=True))


def _mean_gradient(pair: Pair, nodes: int) -> Multipliers:
    """In float32 for linear steps and products, for which two points do, else in float64: slopes may be steep."""
    kind = torch.float32 if nodes <= 2 else _wide(pair.given[0])
    total: Multipliers = [None] * len(pair.given)
    for at, weight in _points(nodes):
        step = pair.picture if at >= 0.5 else pair.baseline
        sources = [
            _between(step, part, other, at, kind) for part, other in zip(pair.given, pair.given_baseline, strict=True)
        ]
        for place, gradient in enumerate(_gradients(step, sources, pair.multipliers, kind)):
            if gradient is not None:
                sofar = total[place]
                total[place] = gradient * weight if sofar is None else sofar + gradient * weight
    return [None if part is None else part.to(_kind(part)) for part in total]


def _flows(step: Step, part: Tensor) -> bool:
    """Whether multipliers reach a source: it is a number, or a condition that is counted with."""
    return part.is_floating_point() or part.is_complex() or step.name in _NUMERIC


def _between(step: Step, part: Tensor, other: Tensor, at: float, kind: torch.dtype) -> Tensor:
    """A point on the way from `other` to `part`; never beyond either, whatever is rounded."""
    if not _flows(step, part):
        return part if at >= 0.5 else other
    part, other = (side.to(torch.promote_types(side.dtype, kind)) for side in (part, other))
    return torch.where(part == other, part, at * part + (1 - at) * other).requires_grad_()


def _leaf(part: Tensor) -> Tensor:
    return part.detach().requires_grad_(part.is_floating_point() or part.is_complex())


def _gradients(
    step: Step,
    sources: Sequence[Tensor],
    multipliers: Sequence[Tensor | None],
    kind: torch.dtype = torch.float32,
) -> Multipliers:
    inputs = [part for part in sources if part.requires_grad]

    def constant(part: Tensor) -> Tensor:
        return part.to(torch.promote_types(part.dtype, kind)) if part.is_floating_point() else part

    with torch.enable_grad():
        results = step.compute(sources, constant)
        heads = [
            (result, multiplier.to(result.dtype))
            for result, multiplier in zip(results, multipliers, strict=True)
            if result is not None and multiplier is not None and result.requires_grad
        ]
    if not heads or not inputs:
        return [None] * len(sources)
    ends, starts = zip(*heads, strict=True)
    found = iter(torch.autograd.grad(ends, inputs, starts, allow_unused=True))
    return [next(found) if part.requires_grad else None for part in sources]


def contribution(
    multipliers: Sequence[Tensor | None], picture: Sequence[Tensor | None], baseline: Sequence[Tensor | None]
) -> float:
    """The sum of multipliers times differences: how much of the score's difference these values stand for."""
    total = 0.0
    for multiplier, part, other in zip(multipliers, picture, baseline, strict=True):
        if multiplier is not None and part is not None and other is not None:
            product = multiplier.conj() * difference(part, other)
            total += float((product.real if product.is_complex() else product).sum(dtype=_wide(multiplier)))
    return total


def _kind(multiplier: Tensor) -> torch.dtype:
    """The type in which multipliers are handed on."""
    return torch.complex64 if multiplier.is_complex() else torch.float32


def _wide(like: Tensor) -> torch.dtype:
    """The type to compute ratios and sums in: Apple's GPUs have no float64."""
    return torch.float32 if like.device.type == "mps" else torch.float64


def _result(made: Sequence[Any], place: int = 0) -> Tensor:
    result: Tensor = made[place]
    return result
