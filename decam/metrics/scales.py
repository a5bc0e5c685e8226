"""Saliency maps as metrics and figures read them: finite, scaled, between limits, ranked and correlated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.explanation import Map

Values: TypeAlias = NDArray[np.float64]
Limits: TypeAlias = tuple[float, float]

CLIPPED = 0.01
"""Share of a map's values that may lie beyond the ends of its colours: in some maps they are five times the others."""
SPARSE = 0.001
"""A map whose colours would end at this share of its extreme is nearly empty: nothing of it is clipped."""

CONSTANT = "The map is constant: it says nothing about where."


def cleaned(saliency: Map) -> Values:
    """The map in float64, NaN and −∞ as its lowest and +∞ as its highest finite value; zero where none is finite."""
    values: Values = np.asarray(saliency, np.float64)
    finite = np.isfinite(values)
    if finite.all():
        return values
    finite_values = values[finite] if finite.any() else np.zeros(1)
    low, high = float(finite_values.min()), float(finite_values.max())
    mended: Values = np.where(finite, values, np.where(values > 0, high, low))
    return mended


def limits_of(saliency: NDArray[Any], signed: bool, *, extremes: bool = False) -> Limits:
    """The values at the two ends of the colour table, beyond which at most the top 1 % of the map's values lie.

    From the minimum to the 99th percentile, or ± the 99th percentile of |s| for a signed map; with `extremes` to the
    maximum. A map that is zero but for a few pixels is never clipped. Values that are not finite are left out; a map
    without any finite value has the limits (0, 0).
    """
    finite = saliency[np.isfinite(saliency)].astype(np.float64)
    if not finite.size:
        return (0.0, 0.0)
    values = np.abs(finite) if signed else finite
    low, high = 0.0 if signed else float(values.min()), float(values.max())
    if not extremes:
        clipped = float(np.percentile(values, 100 * (1 - CLIPPED), method="higher"))
        high = clipped if clipped - low > SPARSE * (high - low) else high
    return (-high, high) if signed else (low, high)


def shared_limits(maps: Iterable[NDArray[Any]], signed: bool, *, extremes: bool = False) -> Limits:
    """The limits of several maps together, so that equal colours mean equal values: of each, the widest."""
    limits = [limits_of(one, signed, extremes=extremes) for one in maps if np.isfinite(one).any()]
    return (min(low for low, _ in limits), max(high for _, high in limits)) if limits else (0.0, 0.0)


def ranks(saliency: Map, signed: bool = False) -> Map:
    """The share of values that lie below each value, from 0 for the lowest to 1 for the highest; H×W.

    Equal values share the lowest of their ranks, so that what a map leaves at zero is drawn darkest. A constant map is
    0 throughout. A value that is not a number counts as the lowest. Of a signed map it is the share of |s| below, with
    the sign of s: from −1 to 1.
    """
    from scipy.stats import rankdata  # here, for it takes a second

    values = cleaned(saliency)
    if values.size < 2:
        return np.zeros(values.shape, np.float32)
    lower = rankdata(np.abs(values) if signed else values, method="min") - 1
    shares = (lower / (values.size - 1)).reshape(values.shape)
    return (np.sign(values) * shares if signed else shares).astype(np.float32)


def scaled(values: Values) -> Values:
    """From 0 to 1 (Gomez and Mouchère 2023); a constant map keeps its value, cut to [0, 1]."""
    low, high = values.min(), values.max()
    if low == high:
        return values.clip(0.0, 1.0)
    relative: Values = (values - low) / (high - low)
    return relative.clip(0.0, 1.0)


def pearson(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Linear correlation of two arrays of equal size, in [−1, 1]; NaN where one of them is constant."""
    first, second = (np.asarray(array, np.float64).ravel() for array in (one, other))
    if first.size < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    # Scaled first: squares of tiny differences would vanish, those of huge ones overflow.
    first, second = (_unit(array) for array in (first, second))
    return float(np.clip(first @ second, -1.0, 1.0))


def _unit(array: Values) -> Values:
    centred = array / np.abs(array).max()
    centred = centred - centred.mean()
    centred = centred / np.abs(centred).max()
    unit: Values = centred / np.linalg.norm(centred)
    return unit


def spearman(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Correlation of ranks, ties sharing their mean rank, in [−1, 1]; NaN where one of the arrays is constant."""
    from scipy.stats import rankdata  # here, for it takes a second

    return pearson(rankdata(one.ravel()), rankdata(other.ravel()))
