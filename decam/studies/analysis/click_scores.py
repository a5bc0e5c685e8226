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
from decam.studies.analysis.resampling import Values

Takes: TypeAlias = Literal["weights", "density"]

SMALL = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Score:
    """A way to score a map against clicks; `takes` says which form of them `run` wants as its second argument.

    `direction` is 1 where more is better, −1 where less is. `chance` is the value of a constant map, or NaN where it
    has none.
    """

    name: str
    title: str
    summary: str
    takes: Takes
    direction: int
    low: float
    high: float
    chance: float
    run: Callable[[ArrayLike, ArrayLike], float]


def auc_judd(saliency: ArrayLike, weights: ArrayLike) -> float:
    """Area under the ROC curve of telling clicked pixels from others by the map, in [0, 1]; 0.5 for a constant map.

    Thresholds are the map's values at clicked pixels (Judd et al. 2009): the true positive rate is the share of
    clicks at or above, the false positive rate that of pixels without clicks. Between thresholds the curve is
    straight, so that few clicks flatter a map: one click alone gives 0.5 or more. Equal values are one threshold;
    nothing is jittered.
    """
    values, clicked = _pair(saliency, weights)
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


def nss(saliency: ArrayLike, weights: ArrayLike) -> float:
    """Normalised scanpath saliency: the mean over clicks of the map with mean 0 and standard deviation 1.

    Unbounded; 0 is chance, 1 a standard deviation above the map's mean (Peters et al. 2005). NaN for a constant map.
    """
    values, clicked = _pair(saliency, weights)
    spread = float(values.std())
    if spread <= SMALL * max(1.0, float(np.abs(values).max())):
        return math.nan
    return float(((values - values.mean()) / spread * clicked).sum() / clicked.sum())


def cc(saliency: ArrayLike, density: ArrayLike) -> float:
    """Pearson's correlation of map and click density, in [−1, 1]; NaN where either is constant."""
    return _correlation(*_pair(saliency, density))


def kl(saliency: ArrayLike, density: ArrayLike) -> float:
    """Kullback–Leibler divergence of the map from the click density in nats, from 0, less is better.

    Σ q · log(ε + q / (ε + p)), q the density and p the map shifted to a lowest value of 0 and divided by its sum, ε
    2.2e−16. A map that is 0 where people click is punished severely. A constant map is taken as uniform.
    """
    values, clicked = _pair(saliency, density)
    wanted, given = clicked / clicked.sum(), _distribution(values)
    return max(0.0, float((wanted * np.log(SMALL + wanted / (SMALL + given))).sum()))


def sim(saliency: ArrayLike, density: ArrayLike) -> float:
    """Similarity: the sum over pixels of the lesser of both distributions, in [0, 1]; 1 where they are the same.

    The map is shifted to a lowest value of 0 and divided by its sum (histogram intersection, Swain and Ballard 1991).
    """
    values, clicked = _pair(saliency, density)
    return float(np.minimum(clicked / clicked.sum(), _distribution(values)).sum())


def spearman(saliency: ArrayLike, density: ArrayLike) -> float:
    """Spearman's rank correlation of map and click density, in [−1, 1], ties sharing ranks; NaN for a constant map."""
    return _correlation(*(rankdata(one) for one in _pair(saliency, density)))


def _correlation(first: Values, second: Values) -> float:
    """Pearson's correlation; NaN where a line is constant but for rounding."""
    ends = []
    for line in (first, second):
        spread = line - line.mean()
        norm = float(np.linalg.norm(spread))
        if norm <= 1e-12 * math.sqrt(len(line)) * float(np.abs(line).max()):
            return math.nan
        ends.append(spread / norm)
    return float(np.clip(ends[0] @ ends[1], -1, 1))


def _pair(saliency: ArrayLike, clicks: ArrayLike) -> tuple[Values, Values]:
    """Both as flat lines; raises SettingError for other shapes, values that are not finite, and no clicks."""
    values, clicked = np.asarray(saliency, dtype=np.float64), np.asarray(clicks, dtype=np.float64)
    if values.ndim != 2 or values.shape != clicked.shape:
        raise SettingError(
            f"Map and clicks must be H×W alike, but have shapes {values.shape} and {clicked.shape}; resize the map."
        )
    if not np.isfinite(values).all():
        raise SettingError("The map has values that are not finite, so it cannot be scored.")
    if (clicked < 0).any() or not clicked.sum() > 0:
        raise SettingError("There are no clicks in this picture to score the map against.")
    return values.reshape(-1), clicked.reshape(-1)


def _distribution(values: Values) -> Values:
    shifted = values - values.min()
    total = float(shifted.sum())
    return shifted / total if total > 0 else np.full_like(values, 1 / len(values))


_ALL = (
    Score("auc-judd", "AUC-Judd", "Tells clicked pixels from others.", "weights", 1, 0.0, 1.0, 0.5, auc_judd),
    Score("nss", "NSS", "How far above its mean the map is at clicks.", "weights", 1, -math.inf, math.inf, 0.0, nss),
    Score("cc", "CC", "Linear correlation with the click density.", "density", 1, -1.0, 1.0, 0.0, cc),
    Score("kl", "KL", "What is lost where the map stands for the density.", "density", -1, 0.0, math.inf, math.nan, kl),
    Score("sim", "SIM", "How much of both distributions overlaps.", "density", 1, 0.0, 1.0, math.nan, sim),
    Score("spearman", "Spearman", "Rank correlation with the density.", "density", 1, -1.0, 1.0, 0.0, spearman),
)

SCORES: dict[str, Score] = {score.name: score for score in _ALL}
