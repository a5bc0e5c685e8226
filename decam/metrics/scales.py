"""Saliency maps as metrics read them: finite, scaled, ranked and correlated."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from decam.explanation import Map

Values: TypeAlias = NDArray[np.float64]

CONSTANT = "The map is constant: it says nothing about where."


def cleaned(saliency: Map) -> Values:
    """The map in float64, NaN and −∞ as its lowest and +∞ as its highest finite value; zero where none is finite."""
    values: Values = np.asarray(saliency, np.float64)
    finite = np.isfinite(values)
    if finite.all():
        return values
    known = values[finite] if finite.any() else np.zeros(1)
    low, high = float(known.min()), float(known.max())
    mended: Values = np.where(finite, values, np.where(values > 0, high, low))
    return mended


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
    return pearson(rankdata(one.ravel()), rankdata(other.ravel()))
