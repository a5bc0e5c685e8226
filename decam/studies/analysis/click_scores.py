"""How well a saliency map foretells where people click: AUC-Judd, NSS, CC, KL, SIM and Spearman, as a table.

The definitions are those of Bylinskii et al. 2019, "What do different evaluation metrics tell us about saliency
models?". A map is H×W. Clicks come as weights H×W (0 where nobody clicked; a point weighs 1, a box 1 spread over it),
or as their density H×W: the same blurred, summing to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from decam.errors import SettingError
from decam.intervals import Values

Takes: TypeAlias = Literal["weights", "density"]

SMALL = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Score:
    """A way to score a map against clicks; `takes` says which form of them `run` wants as its second argument.

    `direction` is 1 where more is better, −1 where less is. `chance` is the value of a constant map, or NaN where it
    has none. A score is `compare` of a map and of clicks that `of_map` and `of_clicks` made ready, as flat lines. What
    is compared often is made ready once.
    """

    name: str
    title: str
    summary: str
    takes: Takes
    direction: int
    low: float
    high: float
    chance: float
    of_map: Callable[[Values], Values]
    of_clicks: Callable[[Values], Values]
    compare: Callable[[Values, Values], float]

    def ready_map(self, saliency: ArrayLike) -> Values:
        """A map H×W as `compare` takes it; raises SettingError for another shape, and for values not finite."""
        return self.of_map(_map(saliency))

    def ready_clicks(self, clicks: ArrayLike) -> Values:
        """Clicks H×W as `compare` takes them; raises SettingError for another shape, and where there are none."""
        return self.of_clicks(_clicks(clicks))

    def run(self, saliency: ArrayLike, clicks: ArrayLike) -> float:
        """The score of one map; raises SettingError for other shapes, values that are not finite, and no clicks."""
        shapes = np.shape(saliency), np.shape(clicks)
        if len(shapes[0]) != 2 or shapes[0] != shapes[1]:
            raise SettingError(
                f"Map and clicks must be H×W alike, but have shapes {shapes[0]} and {shapes[1]}; resize the map."
            )
        clicked = self.ready_clicks(clicks)
        return self.compare(self.ready_map(saliency), clicked)


def _as_they_are(values: Values) -> Values:
    return values


def _shares(clicked: Values) -> Values:
    shares: Values = clicked / clicked.sum()
    return shares


def _auc_judd(values: Values, clicked: Values) -> float:
    """Area under the ROC curve of telling clicked pixels from others by the map, in [0, 1]; 0.5 for a constant map.

    Thresholds are the map's values at clicked pixels (Judd et al. 2009): the true positive rate is the share of
    clicks at or above, the false positive rate that of pixels without clicks. Between thresholds the curve is
    straight, so that few clicks flatter a map: one click alone gives 0.5 or more. Equal values are one threshold;
    nothing is jittered.
    """
    here = clicked > 0
    elsewhere = np.sort(values[~here])
    thresholds, places = np.unique(values[here], return_inverse=True)
    shares = np.bincount(places.reshape(-1), weights=clicked[here])[::-1]
    hits = np.concatenate(([0.0], np.cumsum(shares) / shares.sum(), [1.0]))
    if not len(elsewhere):
        return 0.5
    above = len(elsewhere) - np.searchsorted(elsewhere, thresholds[::-1], side="left")
    false = np.concatenate(([0.0], above / len(elsewhere), [1.0]))
    return float(np.trapezoid(hits, false))


def _standardised(values: Values) -> Values:
    """A map with mean 0 and standard deviation 1; NaN for a constant one."""
    spread = float(values.std())
    if spread <= SMALL * max(1.0, float(np.abs(values).max())):
        return np.full_like(values, math.nan)
    standardised: Values = (values - values.mean()) / spread
    return standardised


def _nss(standardised: Values, shares: Values) -> float:
    """Normalised scanpath saliency: the mean over clicks of the map with mean 0 and standard deviation 1.

    Unbounded; 0 is chance, 1 a standard deviation above the map's mean (Peters et al. 2005). NaN for a constant map.
    """
    return float((standardised * shares).sum())


def _direction(values: Values) -> Values:
    """Values less their mean, of length 1; NaN where they are constant but for rounding."""
    spread = values - values.mean()
    norm = float(np.linalg.norm(spread))
    if norm <= 1e-12 * math.sqrt(len(values)) * float(np.abs(values).max()):
        return np.full_like(values, math.nan)
    direction: Values = spread / norm
    return direction


def _rank_direction(values: Values) -> Values:
    """The same of the values' ranks, ties sharing ranks."""
    return _direction(np.asarray(rankdata(values), dtype=np.float64))


def _correlation(first: Values, second: Values) -> float:
    """The correlation of two directions, in [−1, 1]; NaN where either is constant.

    Of values it is Pearson's (CC), of ranks Spearman's.
    """
    return float(np.clip(first @ second, -1, 1))


def _distribution(values: Values) -> Values:
    """A map shifted to a lowest value of 0 and divided by its sum; a constant one is taken as uniform."""
    shifted = values - values.min()
    total = float(shifted.sum())
    return shifted / total if total > 0 else np.full_like(values, 1 / len(values))


def _kl(given: Values, wanted: Values) -> float:
    """Kullback–Leibler divergence of the map from the click density in nats, from 0, less is better.

    Σ q · log(ε + q / (ε + p)), q the density and p the map's distribution, ε 2.2e−16. A map that is 0 where people
    click is punished severely.
    """
    return max(0.0, float((wanted * np.log(SMALL + wanted / (SMALL + given))).sum()))


def _sim(given: Values, wanted: Values) -> float:
    """Similarity: the sum over pixels of the lesser of both distributions, in [0, 1]; 1 where they are the same.

    It is the histogram intersection of Swain and Ballard (1991).
    """
    return float(np.minimum(wanted, given).sum())


def _map(saliency: ArrayLike) -> Values:
    values = _flat(saliency, "A map")
    if not np.isfinite(values).all():
        raise SettingError("The map has values that are not finite, so it cannot be scored.")
    return values


def _clicks(clicks: ArrayLike) -> Values:
    clicked = _flat(clicks, "Clicks")
    if (clicked < 0).any() or not clicked.sum() > 0:
        raise SettingError("There are no clicks in this image to score the map against.")
    return clicked


def _flat(array: ArrayLike, what: str) -> Values:
    values = np.asarray(array, dtype=np.float64)
    if values.ndim != 2:
        raise SettingError(f"{what} must be H×W, not an array of shape {values.shape}.")
    return values.reshape(-1)


_ALL = (
    Score(
        "auc-judd", "AUC-Judd", "Tells clicked pixels from others.",
        "weights", 1, 0.0, 1.0, 0.5, _as_they_are, _as_they_are, _auc_judd,
    ),
    Score(
        "nss", "NSS", "How far above its mean the map is at clicks.",
        "weights", 1, -math.inf, math.inf, 0.0, _standardised, _shares, _nss,
    ),
    Score(
        "cc", "CC", "Linear correlation with the click density.",
        "density", 1, -1.0, 1.0, 0.0, _direction, _direction, _correlation,
    ),
    Score(
        "kl", "KL", "What is lost where the map stands for the density.",
        "density", -1, 0.0, math.inf, math.nan, _distribution, _shares, _kl,
    ),
    Score(
        "sim", "SIM", "How much of both distributions overlaps.",
        "density", 1, 0.0, 1.0, math.nan, _distribution, _shares, _sim,
    ),
    Score(
        "spearman", "Spearman", "Rank correlation with the density.",
        "density", 1, -1.0, 1.0, 0.0, _rank_direction, _rank_direction, _correlation,
    ),
)  # fmt: skip

SCORES: dict[str, Score] = {score.name: score for score in _ALL}
