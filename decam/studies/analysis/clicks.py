"""Human click maps: where people look for the answer, how far they agree, and how maps score against them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter

from decam.errors import SettingError
from decam.studies.analysis.click_scores import Score
from decam.studies.analysis.resampling import (
    RESAMPLES,
    Indices,
    Interval,
    Values,
    drawn,
    numbers,
    percentiles,
    same_length,
)

Shape: TypeAlias = tuple[int, int]

WIDTH, SIDE = 21, 224
FWHM = 2 * math.sqrt(2 * math.log(2))  # full width at half maximum of a Gaussian, in σ
SPLITS = 20


@dataclass(frozen=True, eq=False)
class Clicks:
    """Clicks in a picture's own pixels: its left upper corner x, y, its width and height (0 for a point).

    `pictures` numbers the pictures from 0; `participants` says who clicked. Made by `clicks`.
    """

    x: Values
    y: Values
    width: Values
    height: Values
    pictures: Indices
    participants: Indices


@dataclass(frozen=True)
class Scored:
    """A score over pictures: the mean with its interval over pictures, and each picture's own value (NaN: none)."""

    mean: Interval
    pictures: tuple[float, ...]


@dataclass(frozen=True)
class Ceiling:
    """How well half of the people foretell the other half: the highest score to expect of a map.

    `halves` is the plain mean over splits, and is the ceiling to report. `corrected` is that stepped up to all people
    by Spearman and Brown's 2r / (1 + r); it has meaning for correlations only, and is NaN below 0 and for others.
    """

    halves: Scored
    corrected: float


def clicks(
    x: ArrayLike,
    y: ArrayLike,
    pictures: ArrayLike,
    participants: ArrayLike,
    width: ArrayLike | None = None,
    height: ArrayLike | None = None,
) -> Clicks:
    """Points, or boxes where width and height are above 0; all arrays have one length.

    Raises SettingError for different lengths, for values that are not finite, and for negative sizes.
    """
    count = same_length(x=x, y=y, pictures=pictures, participants=participants)
    none = np.zeros(count)
    wide, high = (none if size is None else numbers(size, "sizes of boxes") for size in (width, height))
    same_length(x=x, widths=wide, heights=high)
    if (wide < 0).any() or (high < 0).any():
        raise SettingError("A box has a negative size; give its left upper corner and how far it reaches.")
    who = np.unique(np.asarray(participants), return_inverse=True)[1].reshape(-1).astype(np.int64)
    return Clicks(numbers(x, "places"), numbers(y, "places"), wide, high, np.asarray(pictures, dtype=np.int64), who)


def default_sigma(shape: Shape) -> float:
    """The σ in pixels of a Gaussian that is 21 pixels wide at half its height in a picture of 224 (ClickMe's width).

    It grows with the picture's shorter side.
    """
    return WIDTH / FWHM * min(shape) / SIDE


def person_weights(marks: Clicks, picture: int, shape: Shape) -> tuple[Values, Indices]:
    """What each person clicked in one picture: people × H×W, each summing to 1, and who they are.

    A person's clicks weigh alike; so do people, however often they clicked. A box is uniform over its area. Raises
    SettingError for a click outside the picture.
    """
    here = np.flatnonzero(marks.pictures == picture)
    people, places = np.unique(marks.participants[here], return_inverse=True)
    weights = np.zeros((len(people), *shape))
    for click, person in zip(here, places.reshape(-1), strict=True):
        rows = _cover(marks.y[click], marks.height[click], shape[0], "y")
        columns = _cover(marks.x[click], marks.width[click], shape[1], "x")
        weights[person] += np.outer(rows, columns)
    return weights / np.maximum(1, weights.sum(axis=(1, 2), keepdims=True)), people.astype(np.int64)


def _cover(start: float, length: float, size: int, axis: str) -> Values:
    """The share of a span of pixels that lies on each pixel of a line of `size`, summing to 1."""
    if start < 0 or start + length > size * (1 + 1e-12):  # places that were scaled are off by rounding
        raise SettingError(
            f"A click lies at {axis} = {start:g} to {start + length:g}, outside its picture of {size} pixels; "
            "places are in the picture's own pixels."
        )
    pixels = np.arange(size, dtype=np.float64)
    if length == 0:
        return np.where(pixels == min(int(start), size - 1), 1.0, 0.0)
    cover: Values = np.maximum(0.0, np.minimum(pixels + 1, start + length) - np.maximum(pixels, start))
    cover /= cover.sum()
    return cover


def density(weights: ArrayLike, sigma: float | None = None) -> Values:
    """Weights of clicks (H×W, or many of them) blurred by a Gaussian of σ pixels, each then summing to 1.

    By default `default_sigma`. What the blur carries over the edge is lost before the sum is taken. Raises
    SettingError for a σ that is not above 0.
    """
    array = np.asarray(weights, dtype=np.float64)
    width = default_sigma(array.shape[-2:]) if sigma is None else sigma
    if not width > 0:
        raise SettingError(f"σ is {width:g} pixels, but must be above 0.")
    blurred = gaussian_filter(array, width, mode="constant", axes=(-2, -1))
    total: Values = blurred.sum(axis=(-2, -1), keepdims=True)
    return np.divide(blurred, total, out=np.zeros_like(blurred), where=total > 0)


def click_map(marks: Clicks, picture: int, shape: Shape, sigma: float | None = None) -> Values:
    """The density of all people's clicks in one picture (H×W, sum 1). Raises SettingError where there are none."""
    weights, people = person_weights(marks, picture, shape)
    if not len(people):
        raise SettingError(f"Nobody clicked in picture {picture}, so it has no click map.")
    return density(weights.mean(axis=0), sigma)


def scores(
    maps: Sequence[ArrayLike], marks: Clicks, score: Score, *, sigma: float | None = None, seed: int = 0
) -> Scored:
    """Each picture's map (H×W, one a picture, in their order) against its clicks; the interval is over pictures.

    Pictures without clicks have no value.
    """
    return _over_pictures([_against(saliency, marks, place, score, sigma) for place, saliency in enumerate(maps)], seed)


def split_half(
    shapes: Sequence[Shape],
    marks: Clicks,
    score: Score,
    *,
    splits: int = SPLITS,
    sigma: float | None = None,
    seed: int = 0,
) -> Ceiling:
    """The human ceiling of a score: the density of one half of the people against the clicks of the other half.

    Each picture's people are split `splits` times at random, seeded; both directions of a split count. A picture
    clicked by fewer than two people has no value. Raises SettingError for no splits.
    """
    _check_repeats(splits, "splits")
    generator = np.random.default_rng(seed)
    found = []
    for place, shape in enumerate(shapes):
        weights, people = person_weights(marks, place, shape)
        if len(people) < 2:
            found.append(math.nan)
            continue
        blurred = _blurred(weights, sigma)
        values = []
        for _ in range(splits):
            order = generator.permutation(len(people))
            halves = order[: len(people) // 2], order[len(people) // 2 :]
            for own, other in (halves, halves[::-1]):
                values.append(_run(score, _joined(blurred[own]), weights[other].mean(axis=0), blurred[other]))
        found.append(_mean(values))
    halves_scored = _over_pictures(found, seed)
    half = halves_scored.mean.value
    correlation = score.low == -1 and score.high == 1
    return Ceiling(halves_scored, 2 * half / (1 + half) if correlation and half >= 0 else math.nan)


def shuffled_null(
    maps: Sequence[ArrayLike],
    marks: Clicks,
    score: Score,
    *,
    draws: int = SPLITS,
    sigma: float | None = None,
    seed: int = 0,
) -> Scored:
    """What a map scores against clicks in other pictures: how much the habit of clicking in the middle is worth.

    Each picture's map meets the clicks of up to `draws` other pictures, seeded, scaled to its own size. A map that
    says something of its picture scores above it.
    """
    _check_repeats(draws, "draws")
    generator = np.random.default_rng(seed)
    shapes = [_shape(saliency) for saliency in maps]
    clicked = [place for place in range(len(maps)) if (marks.pictures == place).any()]
    found = []
    for place, saliency in enumerate(maps):
        others = generator.permutation([other for other in clicked if other != place])[:draws]
        values = [_against(saliency, _moved(marks, int(other), place, shapes), place, score, sigma) for other in others]
        found.append(_mean(values))
    return _over_pictures(found, seed)


def _against(saliency: ArrayLike, marks: Clicks, place: int, score: Score, sigma: float | None) -> float:
    weights, people = person_weights(marks, place, _shape(saliency))
    if not len(people):
        return math.nan
    mean: Values = weights.mean(axis=0)
    return score.run(saliency, mean if score.takes == "weights" else density(mean, sigma))


def _run(score: Score, saliency: Values, weights: Values, blurred: Values) -> float:
    return score.run(saliency, weights if score.takes == "weights" else _joined(blurred))


def _blurred(weights: Values, sigma: float | None) -> Values:
    """Each person's clicks blurred once, without norm: the blur of a mean is the mean of the blurs."""
    width = default_sigma((weights.shape[-2], weights.shape[-1])) if sigma is None else sigma
    blurred: Values = gaussian_filter(weights, width, mode="constant", axes=(-2, -1))
    return blurred


def _joined(blurred: Values) -> Values:
    total: Values = blurred.sum(axis=0)
    total /= total.sum()
    return total


def _moved(marks: Clicks, source: int, target: int, shapes: Sequence[Shape]) -> Clicks:
    """The clicks in one picture as if they were in another, at the same places in shares of its size."""
    here = marks.pictures == source
    down, across = (own / other for own, other in zip(shapes[target], shapes[source], strict=True))
    return Clicks(
        marks.x[here] * across,
        marks.y[here] * down,
        marks.width[here] * across,
        marks.height[here] * down,
        np.full(int(here.sum()), target),
        marks.participants[here],
    )


def _over_pictures(values: Sequence[float], seed: int) -> Scored:
    array = np.array(values, dtype=np.float64)
    finite = array[np.isfinite(array)]
    if not len(finite):
        return Scored(Interval(math.nan, math.nan, math.nan), tuple(values))
    means = drawn(len(finite), RESAMPLES, seed) @ finite / len(finite)
    return Scored(percentiles(float(finite.mean()), means), tuple(values))


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan


def _shape(saliency: ArrayLike) -> Shape:
    height, width = np.shape(saliency)
    return int(height), int(width)


def _check_repeats(count: int, what: str) -> None:
    if not 1 <= count <= 1000:
        raise SettingError(f"The number of {what} is {count}, but must lie between 1 and 1,000.")
