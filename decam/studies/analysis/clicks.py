"""Human click maps: where people look for the answer, how far they agree, and how maps score against them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array

from decam.errors import SettingError
from decam.intervals import RESAMPLES, Interval, Values, drawn, percentiles
from decam.lru import Lru
from decam.studies.analysis.click_scores import Score, Takes
from decam.studies.analysis.resampling import Indices, numbered, numbers, same_length

Shape: TypeAlias = tuple[int, int]

WIDTH, SIDE = 21, 224
FWHM = 2 * math.sqrt(2 * math.log(2))  # full width at half maximum of a Gaussian, in σ
SPLITS = 20
POINT = 1e-9  # pixels below which a box has no size
KEPT = 200  # lines of a value for each pixel of a picture: 60 MB where pictures are 224 by 160


@dataclass(frozen=True, eq=False)
class Clicks:
    """Clicks in a picture's own pixels: its left upper corner x, y, its width and height (0 for a point).

    `pictures` numbers the pictures from 0; `participants` says who clicked. Made by `clicks`. What scores take of them
    is made once for all maps that meet the same clicks.
    """

    x: Values
    y: Values
    width: Values
    height: Values
    pictures: Indices
    participants: Indices
    _kept: Lru[tuple[object, ...], Values] = field(default_factory=lambda: Lru(KEPT), repr=False)

    def ready(self, score: Score, picture: int, source: Shape, target: Shape, sigma: float | None) -> Values:
        """Everybody's clicks in a picture of size `source`, moved to size `target`, as the score compares them."""
        return self._once((score.name, picture, source, target, sigma), lambda: score.ready_clicks(
            self._taken(score.takes, picture, source, target, sigma)
        ))  # fmt: skip

    def _taken(self, form: Takes, picture: int, source: Shape, target: Shape, sigma: float | None) -> Values:
        """Clicks in the form that a score takes them, H×W."""
        if form == "density":
            weights = self._taken("weights", picture, source, target, sigma)
            return self._once((form, picture, source, target, sigma), lambda: density(weights, sigma))
        there = self if source == target else _moved(self, picture, source, target)
        return self._once(
            (form, picture, source, target), lambda: _mean_map(person_weights(there, picture, target), target)
        )

    def _once(self, key: tuple[object, ...], make: Callable[[], Values]) -> Values:
        kept = self._kept.get(key)
        if kept is None:
            kept = make()
            self._kept.put(key, kept)
        return kept


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
    numbers_of_pictures, who = np.asarray(pictures, dtype=np.int64), numbered(participants)[1]
    return Clicks(numbers(x, "places"), numbers(y, "places"), wide, high, numbers_of_pictures, who)


def default_sigma(shape: Shape) -> float:
    """The σ in pixels of a Gaussian that is 21 pixels wide at half its height in a picture of 224 (ClickMe's width).

    It grows with the picture's shorter side.
    """
    return WIDTH / FWHM * min(shape) / SIDE


def person_weights(marks: Clicks, picture: int, shape: Shape) -> csr_array:
    """What each person clicked in one picture: people × pixels (row by row), each line summing to 1.

    A person's clicks weigh alike; so do people, however often they clicked. A box is uniform over its area. Raises
    SettingError for a click outside the picture.
    """
    here = np.flatnonzero(marks.pictures == picture)
    people, persons = numbered(marks.participants[here])
    weights, lines, pixels = [np.empty(0)], [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    each = 1 / np.bincount(persons, minlength=people)
    for click, person in zip(here, persons, strict=True):
        rows, down = _cover(marks.y[click], marks.height[click], shape[0], "y")
        columns, across = _cover(marks.x[click], marks.width[click], shape[1], "x")
        weights.append(np.outer(down, across).reshape(-1) * each[person])
        pixels.append((rows[:, None] * shape[1] + columns).reshape(-1))
        lines.append(np.full(len(rows) * len(columns), person))
    ends = np.concatenate(lines), np.concatenate(pixels)
    return csr_array((np.concatenate(weights), ends), shape=(people, shape[0] * shape[1]))


def _cover(start: float, length: float, size: int, axis: str) -> tuple[Indices, Values]:
    """The pixels of a line of `size` that a span lies on, and the share of it on each."""
    if start < 0 or start + length > size * (1 + 1e-12):  # places that were scaled are off by rounding
        raise SettingError(
            f"A click lies at {axis} = {start:g} to {start + length:g}, outside its image of {size} pixels; "
            "places are in the image's own pixels."
        )
    first = min(int(start), size - 1)
    if length < POINT:
        return np.array([first]), np.ones(1)
    pixels = np.arange(first, min(size, math.ceil(start + length)))
    cover: Values = np.minimum(pixels + 1, start + length) - np.maximum(pixels, start)
    cover /= cover.sum()
    return pixels, cover


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
    weights = person_weights(marks, picture, shape)
    if not weights.shape[0]:
        raise SettingError(f"Nobody clicked in image {picture}, so it has no click map.")
    return density(_mean_map(weights, shape), sigma)


def scores(
    maps: Sequence[ArrayLike], marks: Clicks, score: Score, *, sigma: float | None = None, seed: int = 0
) -> Scored:
    """Each picture's map (H×W, one a picture, in their order) against its clicks; the interval is over pictures.

    Pictures without clicks have no value.
    """
    found = []
    for place, saliency in enumerate(maps):
        shape = _shape(saliency)
        there = (marks.pictures == place).any()
        clicked = marks.ready(score, place, shape, shape, sigma) if there else None
        found.append(math.nan if clicked is None else score.compare(score.ready_map(saliency), clicked))
    return _over_pictures(found, seed)


def split_half(
    shapes: Sequence[Shape],
    marks: Clicks,
    chosen: Sequence[Score],
    *,
    splits: int = SPLITS,
    sigma: float | None = None,
    seed: int = 0,
) -> list[Ceiling]:
    """The human ceiling of each score: the density of one half of the people against the clicks of the other half.

    All scores see the same halves, whose densities take nearly all the time and are made once.
    Each picture's people are split `splits` times at random, seeded; both directions of a split count. A picture
    clicked by fewer than two people has no value. Raises SettingError for no splits.
    """
    _check_repeats(splits, "splits")
    generator = np.random.default_rng(seed)
    found: list[list[float]] = [[] for _ in chosen]
    for place, shape in enumerate(shapes):
        weights = person_weights(marks, place, shape)
        people = weights.shape[0]
        values: list[list[float]] = [[] for _ in chosen]
        for _ in range(splits if people > 1 else 0):
            order = generator.permutation(people)
            halves = [_mean_map(weights[half], shape) for half in (order[: people // 2], order[people // 2 :])]
            blurred = [density(half, sigma) for half in halves]
            for score, own in zip(chosen, values, strict=True):
                own += _foretold(score, halves, blurred)
        for own, means in zip(values, found, strict=True):
            means.append(_mean(own))
    return [_ceiling(score, means, seed) for score, means in zip(chosen, found, strict=True)]


def _foretold(score: Score, halves: Sequence[Values], blurred: Sequence[Values]) -> tuple[float, float]:
    """How well each half's density foretells the other half, made ready once where both sides are alike."""
    first, second = (score.ready_map(half) for half in blurred)
    if score.takes == "density" and score.of_map is score.of_clicks:
        return score.compare(first, second), score.compare(second, first)
    clicked = [score.ready_clicks(half) for half in (halves if score.takes == "weights" else blurred)]
    return score.compare(first, clicked[1]), score.compare(second, clicked[0])


def _ceiling(score: Score, means: Sequence[float], seed: int) -> Ceiling:
    """The ceiling of a score from its mean in each picture."""
    halves_scored = _over_pictures(means, seed)
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
        others = generator.permutation([other for other in clicked if other != place])[:draws].tolist()
        ready = score.ready_map(saliency)
        met = [marks.ready(score, other, shapes[other], shapes[place], sigma) for other in others]
        found.append(_mean([score.compare(ready, clicks_there) for clicks_there in met]))
    return _over_pictures(found, seed)


def _mean_map(weights: csr_array, shape: Shape) -> Values:
    """The mean over people, H×W."""
    return np.asarray(weights.mean(axis=0), dtype=np.float64).reshape(shape)


def _moved(marks: Clicks, picture: int, source: Shape, target: Shape) -> Clicks:
    """The clicks in one picture as if it had another size: at the same places in shares of it."""
    here = marks.pictures == picture
    down, across = target[0] / source[0], target[1] / source[1]
    return Clicks(
        marks.x[here] * across,
        marks.y[here] * down,
        marks.width[here] * across,
        marks.height[here] * down,
        marks.pictures[here],
        marks.participants[here],
    )


def _over_pictures(values: Sequence[float], seed: int) -> Scored:
    array = np.array(values, dtype=np.float64)
    finite = array[np.isfinite(array)]
    if not len(finite):
        return Scored(Interval(math.nan, math.nan, math.nan), tuple(values))
    means = drawn(len(finite), RESAMPLES, seed) @ finite / len(finite)
    return Scored(percentiles(float(finite.mean()), means, len(finite)), tuple(values))


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan


def _shape(saliency: ArrayLike) -> Shape:
    height, width = np.shape(saliency)
    return int(height), int(width)


def _check_repeats(count: int, what: str) -> None:
    if not 1 <= count <= 1000:
        raise SettingError(f"The number of {what} is {count}, but must lie between 1 and 1,000.")
