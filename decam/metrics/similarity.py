"""How much two maps of one picture are alike: rank correlation, structure, outlines and shared peaks, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from skimage.feature import hog

from decam.errors import MethodError, SettingError, row_of
from decam.explanation import Map

Stack: TypeAlias = NDArray[np.float32]
Matrix: TypeAlias = NDArray[np.float64]

TOP = 0.1
SSIM_WINDOW = 7
HOG_CELLS, HOG_BLOCK, ORIENTATIONS = 14, 3, 9


@dataclass(frozen=True)
class Similarity:
    """A way to say how alike maps are: 1 for the same map, `low` at the least.

    `matrix` takes n maps (n×H×W float32, finite, none constant) and returns n×n values, symmetric; nan where the
    measure cannot say. `formula` is LaTeX.
    """

    name: str
    title: str
    summary: str
    formula: str
    reference: str
    url: str
    low: float
    matrix: Callable[[Stack], Matrix]

    def between(self, first: Map, second: Map, *, absolute: bool = False) -> float:
        """The similarity of two maps (H×W each); see `matrix_of`."""
        return float(matrix_of(self, [first, second], absolute=absolute)[0, 1])


def matrix_of(measure: Similarity, maps: Sequence[Map], *, absolute: bool = False) -> Matrix:
    """Similarities of each map (H×W, one shape for all) with each: n×n, symmetric.

    `absolute` compares absolute values, which is how gradients are mostly shown; otherwise the sign counts (Adebayo
    et al. 2018 report both). The row and column of a map that is constant or not finite are nan. Raises SettingError
    for maps of different shapes.
    """
    full = np.full((len(maps), len(maps)), np.nan)
    stack = stacked(maps)
    compared = np.abs(stack) if absolute else stack
    sound = [number for number, saliency in enumerate(compared) if _is_sound(saliency)]
    if sound:
        full[np.ix_(sound, sound)] = measure.matrix(compared[sound])
    return full


def stacked(maps: Sequence[Map]) -> Stack:
    """Maps of one picture as n×H×W float32; raises SettingError where their shapes differ or are not H×W."""
    arrays = [np.asarray(saliency, np.float32) for saliency in maps]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise SettingError(
            f"Maps of different shapes cannot be compared ({', '.join(map(str, sorted(shapes)))}); "
            "compare maps of one image by one model."
        )
    if any(len(shape) != 2 for shape in shapes):
        raise SettingError(f"A map must be H×W, not of shape {shapes.pop()}.")
    return np.stack(arrays) if arrays else np.empty((0, 0, 0), np.float32)


def ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rank of each value among all, from 1; equal values share the mean of their ranks. The shape is kept."""
    flat = values.reshape(-1)
    order = np.argsort(flat)
    ordered = flat[order]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    counts = np.diff(np.append(first, flat.size))
    found = np.empty(flat.size)
    found[order] = np.repeat(first + (counts + 1) / 2, counts)
    return found.reshape(values.shape)


def spearman(first: Map, second: Map, *, absolute: bool = False) -> float:
    """Correlation of ranks, in [−1, 1]; nan where a map (H×W) is constant or not finite (Spearman 1904)."""
    return SPEARMAN.between(first, second, absolute=absolute)


def ssim(first: Map, second: Map, *, absolute: bool = False) -> float:
    """Mean structural similarity, in [−1, 1], of maps (H×W) that are scaled to [0, 1] each by minimum and maximum.

    Windows of 7×7 pixels that lie wholly in the picture, all weighed alike; nan where a map is constant or not finite
    or under 3 pixels wide (Wang et al. 2004, eq. 13).
    """
    return SSIM.between(first, second, absolute=absolute)


def hog_similarity(first: Map, second: Map, *, absolute: bool = False) -> float:
    """Pearson correlation of histograms of oriented gradients, in [−1, 1], of maps (H×W) scaled to [0, 1] each.

    9 orientations, cells of a fourteenth of the side (at least 2 pixels), blocks of 3×3 cells; nan where a map is
    constant or not finite or has no room for a block (Dalal & Triggs 2005; compared so by Adebayo et al. 2018).
    """
    return HOG.between(first, second, absolute=absolute)


def top_overlap(first: Map, second: Map, *, absolute: bool = False, share: float = TOP) -> float:
    """Intersection over union, in [0, 1], of the `share` most salient pixels of each map (H×W).

    Pixels that tie at the edge of that share count in part, each alike, so that no order of reading decides. nan where
    a map is constant or not finite; raises SettingError for a share outside ]0, 1].
    """
    if not 0 < share <= 1:
        raise SettingError(f"The share of pixels compared is {share:g}, but must lie above 0 and not above 1.")
    pair = matrix_of(_top(share), [first, second], absolute=absolute)
    return float(pair[0, 1])


def _is_sound(saliency: NDArray[np.float32]) -> bool:
    return bool(saliency.size and np.isfinite(saliency).all() and saliency.min() < saliency.max())


def _correlations(rows: NDArray[np.float64]) -> Matrix:
    """Pearson correlation of each row with each; nan for rows without any variation."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1)
    varied = norms > 1e-12 * np.maximum(1, np.abs(rows).max(axis=1, initial=0))
    unit = centred / np.where(varied, norms, np.nan)[:, None]
    found: Matrix = np.clip(unit @ unit.T, -1, 1)
    np.fill_diagonal(found, np.where(varied, 1, np.nan))
    return found


def _scaled(stack: Stack) -> NDArray[np.float64]:
    """Each map to [0, 1] by its own minimum and maximum, as Adebayo et al. do before SSIM and HOG."""
    wide = stack.astype(np.float64)
    lowest = wide.min(axis=(1, 2), keepdims=True)
    wide -= lowest
    wide /= wide.max(axis=(1, 2), keepdims=True)
    return wide


def _spearman(stack: Stack) -> Matrix:
    return _correlations(np.stack([ranks(saliency).reshape(-1) for saliency in stack]))


def _ssim(stack: Stack) -> Matrix:
    count, *shape = stack.shape
    window = min(SSIM_WINDOW, *(side - (side + 1) % 2 for side in shape))
    if window < 3:
        return np.full((count, count), np.nan)
    maps = _scaled(stack)
    rim = slice(window // 2, -(window // 2))
    unbiased = window**2 / (window**2 - 1)

    def local(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        averaged: NDArray[np.float64] = uniform_filter(picture, window)
        return averaged[rim, rim]

    means = [local(one) for one in maps]
    squares = [mean * mean for mean in means]
    variances = [(local(one * one) - square) * unbiased for one, square in zip(maps, squares, strict=True)]
    found = np.eye(count)
    # Pair by pair, for one picture's arrays fit into the processor's cache and a stack's do not.
    for one, other in combinations(range(count), 2):
        product = means[one] * means[other]
        covariance = (local(maps[one] * maps[other]) - product) * unbiased
        # The constants are those of the paper for values in [0, 1].
        above = (2 * product + 0.01**2) * (2 * covariance + 0.03**2)
        below = (squares[one] + squares[other] + 0.01**2) * (variances[one] + variances[other] + 0.03**2)
        found[one, other] = found[other, one] = (above / below).mean()
    return np.clip(found, -1, 1)


def _hog(stack: Stack) -> Matrix:
    count, *shape = stack.shape
    cell = max(2, round(min(shape) / HOG_CELLS))
    if min(shape) // cell < HOG_BLOCK:
        return np.full((count, count), np.nan)
    features = [
        hog(saliency, ORIENTATIONS, pixels_per_cell=(cell, cell), cells_per_block=(HOG_BLOCK, HOG_BLOCK))
        for saliency in _scaled(stack)
    ]
    return _correlations(np.stack(features))


def _top_overlap(stack: Stack, share: float) -> Matrix:
    wanted = max(1, round(share * stack[0].size))
    chosen = np.stack([_highest(saliency.reshape(-1), wanted) for saliency in stack])
    found = np.eye(len(stack))
    for one in range(len(stack) - 1):
        shared = np.minimum(chosen[one + 1 :], chosen[one]).sum(axis=1)
        found[one, one + 1 :] = found[one + 1 :, one] = shared / (2 * wanted - shared)
    return found


def _highest(values: NDArray[np.float32], wanted: int) -> NDArray[np.float64]:
    """How much of each pixel belongs to the `wanted` highest: 1, 0, or an equal part for those that tie at the edge."""
    edge = np.partition(values, values.size - wanted)[values.size - wanted]
    above, tied = values > edge, values == edge
    belonging: NDArray[np.float64] = above + tied * ((wanted - above.sum()) / tied.sum())
    return belonging


def _top(share: float) -> Similarity:
    return Similarity(
        name="top-overlap",
        title=f"Top-{share * 100:g} % overlap",
        summary=f"How many of the {share * 100:g} % most salient pixels two maps share.",
        formula=r"|T_a \cap T_b| \,/\, |T_a \cup T_b|",
        reference="Ghorbani, Abid & Zou, Interpretation of Neural Networks Is Fragile (2019), as an intersection; "
        "as intersection over union after Jaccard (1912)",
        url="https://arxiv.org/abs/1710.10547",
        low=0.0,
        matrix=lambda stack: _top_overlap(stack, share),
    )


SPEARMAN = Similarity(
    name="spearman",
    title="Spearman",
    summary="Whether two maps put the pixels in the same order; 0 for unrelated maps.",
    formula=r"\rho = \mathrm{corr}\big(\mathrm{rank}(M_a), \mathrm{rank}(M_b)\big)",
    reference="Spearman (1904), for maps Adebayo et al., Sanity Checks for Saliency Maps (2018)",
    url="https://arxiv.org/abs/1810.03292",
    low=-1.0,
    matrix=_spearman,
)

SSIM = Similarity(
    name="ssim",
    title="SSIM",
    summary="Whether two maps look alike window by window: brightness, contrast and structure.",
    formula=r"\frac{(2 \mu_a \mu_b + c_1)(2 \sigma_{ab} + c_2)}"
    r"{(\mu_a^2 + \mu_b^2 + c_1)(\sigma_a^2 + \sigma_b^2 + c_2)}",
    reference="Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity (2004)",
    url="https://doi.org/10.1109/TIP.2003.819861",
    low=-1.0,
    matrix=_ssim,
)

HOG = Similarity(
    name="hog",
    title="HOG",
    summary="Whether two maps have the same outlines: correlation of the directions in which they rise.",
    formula=r"\mathrm{corr}\big(\mathrm{HOG}(M_a), \mathrm{HOG}(M_b)\big)",
    reference="Dalal & Triggs (2005), for maps Adebayo et al., Sanity Checks for Saliency Maps (2018)",
    url="https://arxiv.org/abs/1810.03292",
    low=-1.0,
    matrix=_hog,
)

SIMILARITIES: dict[str, Similarity] = {measure.name: measure for measure in (SPEARMAN, SSIM, HOG, _top(TOP))}


def get(name: str) -> Similarity:
    """The row of that name; raises MethodError where there is none."""
    return row_of("similarity", name, SIMILARITIES, MethodError)
