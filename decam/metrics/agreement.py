"""How far methods agree: each map of a picture against each other, and the mean over pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from decam.errors import SettingError
from decam.explanation import Map
from decam.metrics.similarity import SIMILARITIES, Matrix, get, matrix_of


@dataclass(frozen=True)
class Agreement:
    """Similarities by one measure: `values` is n×n, symmetric, nan where a map has none.

    `pictures` is n×n too: how many pictures each value is a mean of.
    """

    measure: str
    values: Matrix
    pictures: Matrix


def agreement(
    maps: Sequence[Map], measures: Sequence[str] = tuple(SIMILARITIES), *, absolute: bool = False
) -> tuple[Agreement, ...]:
    """Each of n maps of one picture (H×W each) against each other: one Agreement a measure.

    `absolute` compares absolute values. The row and column of a map that is constant or not finite are nan. Raises
    SettingError for maps of different shapes, MethodError for an unknown measure.
    """
    found = [matrix_of(get(name), maps, absolute=absolute) for name in measures]
    return tuple(
        Agreement(name, values, np.isfinite(values).astype(np.float64))
        for name, values in zip(measures, found, strict=True)
    )


def mean_agreement(pictures: Sequence[tuple[Agreement, ...]]) -> tuple[Agreement, ...]:
    """The mean over pictures, pair by pair over the pictures on which both maps had something to compare.

    Raises SettingError where there is no picture or the pictures were not compared alike.
    """
    if not pictures:
        raise SettingError("There is no image to take the mean over; compare the maps of at least one.")
    kinds = {tuple((one.measure, one.values.shape) for one in picture) for picture in pictures}
    if len(kinds) > 1:
        raise SettingError("The images must have the same methods, compared by the same measures, in the same order.")
    return tuple(_mean(same) for same in zip(*pictures, strict=True))


def _mean(same: Sequence[Agreement]) -> Agreement:
    values = np.stack([one.values for one in same])
    weights = np.stack([one.pictures for one in same])
    counts = weights.sum(axis=0)
    total = np.nansum(values * weights, axis=0)
    mean = np.divide(total, counts, out=np.full_like(total, np.nan), where=counts > 0)
    return Agreement(same[0].measure, mean, counts)


def grouped(values: Matrix) -> list[int]:
    """The order of the rows of an n×n matrix of similarities in which those that are alike stand beside each other.

    Average linkage of 1 − similarity, with the leaves in their best order (Bar-Joseph et al. 2001). Rows that have
    no value come last.
    """
    comparable = [row for row in range(len(values)) if np.isfinite(np.delete(values[row], row)).any()]
    rest = [row for row in range(len(values)) if row not in comparable]
    if len(comparable) < 3:
        return [*comparable, *rest]
    distances = 1 - np.nan_to_num(values[np.ix_(comparable, comparable)], nan=-1.0)
    np.fill_diagonal(distances, 0)
    condensed = squareform(distances.clip(0), checks=False)
    leaves = leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed))
    return [*(comparable[leaf] for leaf in leaves), *rest]
